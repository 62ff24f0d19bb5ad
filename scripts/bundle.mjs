// Bundles a program of bench/ with the sources, as they are now. The bundle lies one folder below the root, like its source,
// so that paths relative to the file mean the same.
import { root } from "./setup.mjs"

/** Returns the bundle's path. */
export async function bundle(entryPoint, name) {
  const { build } = await import("esbuild")
  const outfile = `${root}/.cache/${name}.mjs`
  await build({
    absWorkingDir: root,
    entryPoints: [entryPoint],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    alias: { "#platform": `${root}/src/platform/node.ts` },
    logLevel: "warning",
  })
  return outfile
}
