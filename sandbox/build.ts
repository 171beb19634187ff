import { build } from 'esbuild'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { BUNDLE } from './cloud/function-host/function-host'
import { MODULES } from './inspector/page'

// Makes the package: npm pack runs it.

const SANDBOX = fileURLToPath(new URL('./', import.meta.url))
const REPOSITORY = join(SANDBOX, '..')
const DIST = join(SANDBOX, 'dist')

/** As `package-files.ts` looks for them. */
const FILES: Record<string, string> = {
  ...Object.fromEntries(
    [
      'inspector/browser',
      'inspector/index.html',
      'inspector/guide.html',
      'bot/demo-media',
      'cloud/function-host/instance-worker.cjs',
      'cloud/function-host/observe-requests.cjs',
      'cloud/function-host/fail-requests.cjs',
    ].map((path) => [path, join(SANDBOX, path)])
  ),
  ...Object.fromEntries(
    Object.values(MODULES).map((path) => [`modules/${path}`, join(REPOSITORY, 'node_modules', path)])
  ),
  'hub.md': join(REPOSITORY, 'hub.md'),
  'icon.svg': join(REPOSITORY, 'icon.svg'),
  LICENSE: join(REPOSITORY, 'LICENSE'),
  'integration.cjs': BUNDLE,
}

const isShipped = (path: string): boolean => !/\.test\.[jt]s$|tsconfig\.json$|-for-test\.ts$/.test(path)

/** The licenses of all packages that some files are of: they are bundled, so that nothing has to be installed. */
const licensesOf = async (files: string[]): Promise<string> => {
  const folders = new Set(
    [...files, ...Object.values(FILES)].flatMap((file) => file.match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0] ?? [])
  )
  const texts = [...folders].toSorted().map(async (folder) => {
    const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry))
    return `${name} ${version} (${license})\n\n${file ? await readFile(join(folder, file), 'utf8') : ''}`
  })
  return (await Promise.all(texts)).join('\n---\n\n')
}

const main = async () => {
  await rm(DIST, { recursive: true, force: true })
  const { metafile } = await build({
    entryPoints: { index: join(SANDBOX, 'index.ts'), cli: join(SANDBOX, 'command-line/cli.ts') },
    outdir: DIST,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
    absWorkingDir: REPOSITORY,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    metafile: true,
    // What is bundled of CommonJS requires Node's modules.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'\nconst require = makeRequire(import.meta.url)",
    },
    legalComments: 'none',
    logLevel: 'warning',
  })
  await writeFile(
    join(DIST, 'LICENSES.txt'),
    await licensesOf(Object.keys(metafile.inputs).map((path) => join(REPOSITORY, path)))
  )
  const source = await readFile(join(SANDBOX, 'index.ts'), 'utf8')
  const { outputText } = ts.transpileDeclaration(source, { fileName: 'index.ts', compilerOptions: { strict: true } })
  await writeFile(join(DIST, 'index.d.mts'), outputText)
  for (const [path, from] of Object.entries(FILES)) {
    await mkdir(dirname(join(DIST, path)), { recursive: true })
    await cp(from, join(DIST, path), { recursive: true, filter: isShipped })
  }
}

void main()
