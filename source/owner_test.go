package source

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane"
)

func TestUsersDoNotChangeWhatASourceOwnsUnlessOnPurpose(t *testing.T) {
	sc := newScene(t)
	files := sc.source("files")
	files.has("a=1 b=1")
	sc.holds("a=1@files b=1@files")

	// By accident: refused, and the owner is named.
	if err := sc.user("a=2", deltaplane.Options{}); !errors.Is(err, deltaplane.ErrOwned) || !strings.Contains(err.Error(), `belongs to "files"`) {
		t.Errorf("a user's change of what a source owns: %v", err)
	}
	if err := sc.delete("a", deltaplane.Options{}); !errors.Is(err, deltaplane.ErrOwned) {
		t.Errorf("a user's removal of what a source owns: %v", err)
	}
	files.looks()
	files.is(InSync)

	// On purpose: the source says so, and does not fight, whatever it hears.
	sc.must(sc.user("a=2", take))
	files.looks()
	files.is(Conflict, `default/Cluster/a belongs to "cli"`, `--owner "files" --take-ownership`)
	files.has("a=1 b=1")
	files.has("a=1 b=3")
	files.is(Conflict)
	sc.holds("a=2@cli b=1@files")

	// What the user agrees with is no conflict, and stays the user's.
	files.has("a=2 b=3")
	files.is(InSync)
	sc.holds("a=2@cli b=3@files")

	// And handed over, it is the source's again.
	sc.must(sc.user("a=2", deltaplane.Options{Owner: "files", TakeOwnership: true}))
	files.looks()
	files.has("a=4 b=3")
	files.is(InSync)
	sc.holds("a=4@files b=3@files")
}

func TestAConflictEndsWhenTheOtherGivesUp(t *testing.T) {
	sc := newScene(t)
	files := sc.source("files")
	sc.must(sc.user("a=1", deltaplane.Options{}))
	files.has("a=2 b=2")
	files.is(Conflict)
	sc.holds("a=1@cli")
	sc.must(sc.user("c=1", deltaplane.Options{})) // concerns nobody
	files.looks()
	files.is(Conflict)
	sc.must(sc.delete("a", deltaplane.Options{}))
	files.looks()
	files.is(InSync)
	sc.holds("a=2@files b=2@files c=1@cli")
}

func TestTwoSourcesWithTheSameResourceConflict(t *testing.T) {
	sc := newScene(t)
	one, two := sc.source("one"), sc.source("two")
	one.has("a=1 b=1")
	two.has("a=2 c=2")
	two.is(Conflict, `default/Cluster/a belongs to "one"`)
	sc.holds("a=1@one b=1@one")
	one.looks()
	one.is(InSync)
	// Equal content is no conflict.
	two.has("a=1 c=2")
	two.is(InSync)
	sc.holds("a=1@one b=1@one c=2@two")
	// What the owner gives up goes to the one who has it too, when it looks.
	one.has("b=1")
	two.looks()
	two.is(Overridden, `Cluster "a"`, "it is gone")
	two.has("a=1 c=3")
	two.is(InSync)
	sc.holds("a=1@two b=1@one c=3@two")
}

func TestWhatAUserChangesOnPurposeStaysUntilTheSourceChanges(t *testing.T) {
	for what, change := range map[string]func(*scene) error{
		"removed":     func(sc *scene) error { return sc.delete("a", take) },
		"rolled back": func(sc *scene) error { _, err := sc.store.Rollback(sc.Context(), 1, false, take); return err },
		"reverted":    func(sc *scene) error { _, err := sc.store.Revert(sc.Context(), 2, take); return err },
		"added to the source's own": func(sc *scene) error {
			return sc.user("z=1", deltaplane.Options{Owner: "files"})
		},
	} {
		t.Run(what, func(t *testing.T) {
			sc := newScene(t)
			files := sc.source("files")
			files.has("a=1 b=1")
			files.has("a=2 b=1")
			sc.must(change(sc))
			before := sc.store.Latest().Version()
			files.looks()
			files.is(Overridden, "was changed past this source")
			files.has("a=2 b=1") // touched, but the same
			files.Wait(nil)
			files.has("a=2 b=1")
			files.is(Overridden)
			if now := sc.store.Latest().Version(); now != before {
				t.Errorf("the source has made %d commits against it", now-before)
			}
			files.has("a=2 b=2")
			files.is(InSync)
			sc.holds("a=2@files b=2@files")
		})
	}
}

func TestWhatAUserPutsBackIsInSyncAgain(t *testing.T) {
	sc := newScene(t)
	files := sc.source("files")
	files.has("a=1")
	sc.must(sc.delete("a", take))
	files.looks()
	files.is(Overridden)
	sc.must(sc.user("a=1", deltaplane.Options{Owner: "files"}))
	files.looks()
	files.is(InSync)
}

func TestASourceRemovesManyOnlyWhenAllowed(t *testing.T) {
	sc := newScene(t)
	files := sc.source("files")
	var many []string
	for i := range 20 {
		many = append(many, fmt.Sprintf("c%02d=1", i))
	}
	files.has(strings.Join(many, " "))
	files.has("c00=1")
	files.is(Shrink, "19 of 20", `deltaplane delete --owner "files"`)
	if n := sc.store.Latest().Tree().Len(); n != 20 {
		t.Errorf("%d resources are left, want 20", n)
	}
	// Removed by name until what is left is no accident any more.
	for i := range 9 {
		sc.must(sc.delete(fmt.Sprintf("c%02d", i+1), deltaplane.Options{Owner: "files"}))
		files.looks()
	}
	files.is(InSync)
	sc.holds("c00=1@files")
	// Or allowed for this source.
	files.has(strings.Join(many, " "))
	files.options.AllowShrink = true
	files.has("c00=1")
	files.is(InSync)
}
