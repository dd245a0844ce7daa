//go:build faults

package e2e

// tornWrites is how often TestNoHalfWrittenFileIsPublished writes its file.
const tornWrites = 1000
