// The package's version, as written into run folders and checkpoints; a test holds it equal to package.json. And the commit
// that it was built from.

/** Put in its place by the build. */
declare const __KINGLET_COMMIT__: string | undefined

export const KINGLET_VERSION = "0.1.0"

/** Short hash, with `+changes` if files differed from it; undefined where the build had no git checkout, or there was no build. */
export const KINGLET_COMMIT: string | undefined =
  typeof __KINGLET_COMMIT__ === "string" ? __KINGLET_COMMIT__ : undefined
