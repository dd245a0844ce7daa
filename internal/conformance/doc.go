// Package conformance plays a client of the xDS protocol against the real
// server over gRPC. It is written from the specification alone: Envoy's "xDS
// REST and gRPC protocol", the comments of discovery.proto, and the chapter on
// VHDS. Nothing here knows how the server works.
//
// Client keeps to the client's side of the protocol and does only what it is
// told. Script is a language for telling it; testdata holds a file for
// each rule, named by the rule, and TestScripts plays it as each variant that it concerns.
// Rules are checked of every response of every test. Barrier proves that
// nothing more is on its way without waiting for it.
//
// # What the specification demands, and where it is tested
//
// What follows the word "script" is a file in testdata. A test keeps this list
// and the tests in step.
//
// Basic Protocol Overview
//
//   - Every response has a nonce, valid on its stream only: Rules; TestNoncesAreNewOnEveryResponse
//   - What was subscribed to and has changed is sent: script requested-resources-are-supplied-if-they-exist
//   - Only the first request must bear the node: script later-messages-need-no-node
//   - The node is the same whenever it is sent: script the-node-may-be-repeated-but-not-changed
//   - A nonce does not outlive its stream: script a-first-message-with-an-old-nonce-is-a-fresh-subscription, script a-first-message-that-refuses-is-a-fresh-subscription
//
// Variants of the xDS Transport Protocol
//
//   - Types on an aggregated stream are streams of their own: script types-on-one-stream-are-separate, script all-types-on-one-stream, script a-type-that-nobody-serves-does-not-disturb-the-others
//   - Types change alone: script secrets-runtime-and-extensions-change-alone
//   - Each service serves one type: script a-wrong-type-on-a-typed-service-is-an-invalid-argument
//   - The type is implied on typed services and required on ADS: script a-typed-service-knows-its-type-by-itself, script a-request-without-a-type-on-ads-is-an-invalid-argument
//
// ACK/NACK and resource type instance version
//
//   - The version changes whenever a resource of the type does: TestTheVersionChangesWithTheSubscribedResources
//   - Versions of types are separate: TestARollbackBringsBackTheVersionsOfEachType
//   - The version belongs to the resources, not to the stream: TestVersionsAreEqualOnEveryReplicaAndAfterARestart
//   - The first request of a new stream tells what the client has: script a-change-while-away-is-sent-in-sotw
//   - That never excuses from a resource newly subscribed to: script a-new-name-on-a-new-stream-is-sent-whatever-the-version
//   - error_detail alone makes a NACK: script only-error-detail-makes-a-refusal, script an-acknowledgement-with-another-version-is-none-the-less-one
//   - A NACK leaves the last good version in force: script a-refused-response-is-not-sent-again-until-it-changed, script the-last-good-content-is-sent-after-a-refusal
//   - After a NACK an update may succeed: script good-resources-of-a-refused-response-come-again-with-the-fix, script the-removal-of-a-refused-resource-is-sent
//   - A NACK concerns its type: script a-refusal-of-one-type-does-not-hold-up-the-others
//   - A NACK has a reason, which somebody reads: TestARefusalIsReportedWithItsReason, TestARefusedTypeIsNotReportedCurrent,
//     TestWhatIsRefusedIsReportedWithheldAsVersionsGoOn
//   - An ACK says what the client uses: TestATypeIsReportedCurrentOnlyAfterItsAcknowledgement
//
// When to send an update
//
//   - Only when resources have changed: script an-update-is-sent-only-when-something-changed, TestAnEqualResourceInOtherBytesIsNotSent
//   - Only the latest request of a type needs an answer: script the-newest-request-of-a-type-supersedes-the-others
//   - Versions in between are left out: script updates-merge-while-a-response-is-unanswered, script a-change-taken-back-before-the-answer-is-not-sent
//
// How the client specifies what resources to return
//
//   - Requested resources are supplied if they exist: script requested-resources-are-supplied-if-they-exist, script names-that-the-configuration-lacks-do-not-hold-up-the-rest
//   - Newly requested ones are sent even if they were sent before: script a-name-dropped-and-wanted-again-is-sent-again, script only-the-newly-requested-name-is-new
//   - An empty list of names that follows names asks for nothing: script an-empty-request-after-names-asks-for-nothing-in-sotw
//   - "*" is all that the server thinks fit: script a-later-namespace-overrides-an-earlier-one, script the-fleet-of-the-highest-priority-wins, script other-namespaces-are-not-served
//   - It may think better of it: script a-node-that-changes-its-fleet-gets-the-difference, script a-node-that-loses-its-last-fleet-keeps-what-it-has
//   - It depends on the node: script each-node-has-its-own-configuration
//   - Never having named anything is "*": script an-empty-first-request-is-a-wildcard, script an-empty-first-request-for-endpoints-is-a-wildcard
//   - On each stream anew: script a-new-stream-may-use-the-legacy-wildcard-again, script a-first-request-that-only-unsubscribes-is-no-wildcard
//   - The examples: script the-wildcard-of-an-empty-list-ends-with-names-in-sotw, script the-wildcard-of-an-empty-list-stays-with-names-in-delta, script names-beside-the-legacy-wildcard-in-delta
//   - "*" and names together: script the-explicit-wildcard-and-names-in-sotw, script a-wildcard-after-a-name-covers-everything
//   - What nobody asked for is not sent: script only-what-is-subscribed-to-is-sent
//
// Grouping Resources into Responses
//
//   - Listeners and clusters come all at once in state of the world: TestAFullStateIsNeverSplit
//   - Everything else may come in parts: TestAResponseAboveTheClientsLimitIsSplit
//   - Duplicate Resource Names: no response has a name twice: Rules
//
// Deleting Resources
//
//   - removed_resources, or absence from a full state: script a-removal-is-signalled
//   - A response without resources deletes all: script the-last-cluster-goes-with-an-empty-response
//   - A resource may come back: script a-removed-and-restored-resource-is-sent-again
//   - No removal is forgotten: script a-removal-that-waits-is-not-lost-when-the-wildcard-is-asked-again
//
// Knowing When a Requested Resource Does Not Exist
//
//   - Delta says that it is missing: script what-does-not-exist-is-said-to-be-missing-beside-what-does, script children-of-deleted-parents-do-not-exist
//   - The request is remembered, and answered when it can be: script a-resource-that-comes-to-exist-is-sent-at-once
//   - Nothing at all is an answer as well: script a-wildcard-over-nothing-is-answered
//
// Unsubscribing From Resources
//
//   - Nothing is sent for a name that was given up: script nothing-is-sent-for-a-name-after-its-unsubscription-was-read
//   - Phantom unsubscriptions are ignored: script a-phantom-unsubscription-is-ignored
//   - Unsubscribing alone needs no answer: script unsubscribing-alone-needs-no-answer
//   - Except under "*", which must be answered: script an-unsubscribed-name-that-the-wildcard-covers-is-sent, script an-unsubscribed-name-that-the-wildcard-lacks-is-removed
//
// Requesting Multiple Resources on a Single Stream; Resource updates
//
//   - One or more names in each request: script several-names-in-one-request-are-all-answered
//   - Order and repetition of names mean nothing: script names-twice-or-in-another-order-are-the-same-subscription
//   - No response to a request with a stale nonce: script a-request-with-a-stale-nonce-is-ignored-in-sotw, script a-stale-list-of-names-is-not-taken-for-the-subscription
//   - Replays and late answers change nothing: script an-acknowledgement-twice-changes-nothing, script a-refusal-with-a-stale-nonce-changes-nothing, script a-late-answer-does-not-count-for-the-newest-response
//
// Resource warming
//
//   - Endpoints are supplied while a cluster warms: script a-changed-cluster-brings-its-endpoints-again, script a-changed-cluster-of-the-same-name-as-its-endpoints-brings-them-again, script a-new-cluster-with-the-service-name-of-another-is-warmed, script a-cluster-changed-while-away-is-warmed
//   - Others are left alone: script a-changed-static-cluster-leaves-endpoints-alone
//   - Nobody waits for endpoints that do not exist: script missing-endpoints-are-answered-while-clusters-wait
//   - Endpoints dropped with their cluster: script endpoints-dropped-with-their-cluster-are-sent-when-wanted-again
//
// Eventual consistency considerations
//
//   - Make before break: script a-cluster-swap-in-one-commit-is-make-before-break, script endpoints-that-a-cluster-warms-with-outlive-it
//   - CDS, EDS, LDS, RDS in this order: script additions-come-in-the-order-of-their-references
//   - What is no longer referred to goes last: script a-cluster-is-removed-after-the-route-that-used-it
//   - What refers to nothing new may go at once: script a-route-that-needs-no-new-cluster-does-not-wait
//   - A refusal stops what depends on it: script a-route-waits-for-a-refused-cluster, script a-cluster-stays-while-a-refused-route-leaves-it-in-use
//   - Endpoints go after their cluster: script endpoints-stay-until-their-cluster-has-left-them
//
// Incremental xDS
//
//   - A request subscribes, unsubscribes and answers at once: script a-request-may-subscribe-and-unsubscribe-and-acknowledge-at-once
//   - Subscriptions count even with a stale nonce: script a-subscription-with-a-stale-nonce-is-honoured-in-delta
//   - A name subscribed to again is sent again: script a-name-subscribed-again-is-sent-again, script a-refused-name-subscribed-again-is-sent-again, script a-name-subscribed-after-a-refusal-is-answered, script endpoints-subscribed-anew-after-a-resume-are-sent
//   - initial_resource_versions save what is known: script a-client-that-comes-back-gets-only-the-difference, script a-client-that-comes-back-to-a-restarted-server-gets-nothing-twice, script a-client-that-comes-back-to-another-replica-gets-nothing-twice
//   - And tell what must go: script what-was-removed-while-a-client-was-away-is-removed
//   - Versions are opaque: script versions-that-the-server-never-gave-out-are-replaced
//   - They belong to the first message of a type: script initial-versions-in-a-later-message-mean-nothing
//   - And mean nothing without a subscription: script versions-of-what-is-not-subscribed-to-mean-nothing
//   - Nothing is known of a previous stream: script a-client-that-comes-back-without-versions-gets-everything
//   - A version stands for one content: Rules, TestAnyWithMapsIsTheSameBytesOnEveryServer
//   - Resources have names and aliases: TestAVirtualHostIsFoundByItsAliases
//
// VHDS
//
//   - Hosts come and go by subscription: script a-virtual-host-is-subscribed-changed-and-unsubscribed
//   - The host follows the last slash: script a-slash-in-a-route-configurations-name-is-no-matter
//   - An unknown host is an empty resource: TestAnUnknownVirtualHostIsAnEmptyResource, script an-unknown-virtual-host-is-answered-at-once
//   - Hosts are kept out of RDS: script changed-hosts-do-not-resend-the-route-configuration
//   - A client comes back: script a-client-with-virtual-hosts-comes-back
//
// TTL
//
//   - A TTL goes with its resource, and changing it is an update: script a-ttl-that-changes-is-an-update
//   - A heartbeat is the version that was sent, without a body: script a-heartbeat-has-no-body, script a-heartbeat-is-not-for-what-was-refused
//   - In state of the world a resource comes again: script a-resource-comes-again-within-its-ttl-in-sotw
//   - What has expired is sent anew: script what-expired-while-a-client-was-away-is-sent-again
//
// xdstp:// names (cncf/xds TP1)
//
//   - Equal but for the order of context parameters is equal: script an-xdstp-name-is-found-in-whatever-order-its-parameters-are
//   - A glob collection has its members, and later ones: script a-collection-has-its-members-and-later-ones, script context-parameters-of-a-collection-must-match
//   - It may have none: script an-empty-collection-is-answered-and-filled-later
//   - It is subscribed to like a name: script a-collection-is-unsubscribed-from, script a-client-with-a-collection-comes-back
//   - In delta only: script state-of-the-world-has-no-collections
//   - It takes the place of the wildcard: script the-wildcard-does-not-hold-what-has-an-xdstp-name
//   - Make before break holds for these names as well: script a-cluster-swap-by-xdstp-names-is-make-before-break
//
// Beyond the specification
//
//   - A client at rest holds exactly what there is: TestAClientAtRestHoldsExactlyTheConfiguration, TestAClientThatRefusesRecoversOnceEverythingChanged
//   - Slow, silent and greedy clients: TestAHostileClientCostsLittleAndDelaysNobody, TestMoreNamesThanTheBudgetAreRefused
//   - A client that never answers: script a-client-that-never-answers-holds-nobody-up
//   - Goroutines: TestGoroutinesGrowWithStreamsAndNotWithUpdates, TestAStreamThatEndsLeavesNothingBehind
//   - Ends: TestACancelledOrExpiredStreamIsReportedClosed, TestAServerThatClosesEndsItsStreams
//
// Where the specification leaves a choice, scripts say "optional" or accept
// both. The state-of-the-world variant has no VHDS.
package conformance
