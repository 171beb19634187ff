import { build } from 'esbuild'

/** Bundles a module with the options of `bp bundle`, so that bundles can be compared. */
export const bundle = async (code: string, outfile: string): Promise<string> => {
  await build({
    stdin: { contents: code, resolveDir: process.cwd(), loader: 'ts' },
    platform: 'node',
    target: 'es2020',
    bundle: true,
    minify: true,
    keepNames: true,
    legalComments: 'none',
    outfile,
  })
  return outfile
}
