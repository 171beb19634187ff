import { existsSync } from 'node:fs'

/** In the repository `sandbox/`, in the package `dist/`: there, all code is in this folder itself. */
const FOLDER = new URL('./', import.meta.url)

/** A file that is served or run as it is, by its path within the sandbox. */
export const ownFile = (path: string): URL => new URL(path, FOLDER)

/**
 * A file that comes from elsewhere in the repository. `npm pack` puts it into the package.
 *
 * @param path within the package
 * @param source within the repository
 */
export const borrowedFile = (path: string, source: string): URL =>
  existsSync(ownFile(path)) ? ownFile(path) : new URL(`../${source}`, FOLDER)

/** Whether this is the package, and not the repository. */
export const isPackaged = FOLDER.pathname.endsWith('/dist/')
