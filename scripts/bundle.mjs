// Bundles a program of bench/ with the sources, as they are now. The programs of workers lie beside it as they do in dist/.
import { workers } from "./doors.mjs"
import { root } from "./setup.mjs"

/** Returns the bundle's path. */
export async function bundle(entryPoint, name) {
  const { build } = await import("esbuild")
  const outdir = `${root}/.cache`
  await build({
    absWorkingDir: root,
    entryPoints: { [`bench/${name}`]: entryPoint, ...workers },
    outdir,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    alias: { "#platform": `${root}/src/platform/node.ts` },
    logLevel: "warning",
  })
  return `${outdir}/bench/${name}.js`
}
