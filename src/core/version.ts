// The package's version, as written into run folders and checkpoints; a test holds it equal to package.json.

export const KINGLET_VERSION = "0.1.0"
