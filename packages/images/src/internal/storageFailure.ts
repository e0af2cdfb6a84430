/** What a refusal of storage means for an image. */
import type { StorageError } from "@reddwarf/storage-zfs"
import { DiskFull, StorageFailed } from "../ImageError.js"

const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** Of zfs. */
export const fromZfs = (operation: string, dataset: string) => (error: StorageError.StorageError): DiskFull | StorageFailed =>
  error._tag === "OutOfSpace"
    ? new DiskFull({ path: dataset, detail: error.detail })
    : new StorageFailed({ operation, path: dataset, detail: error.message, cause: error })

/** Of the file system. */
export const fromFiles = (operation: string, path: string) => (cause: unknown): DiskFull | StorageFailed =>
  cause instanceof DiskFull || cause instanceof StorageFailed
    ? cause
    : ["ENOSPC", "EDQUOT"].includes(codeOf(cause))
    ? new DiskFull({ path, detail: textOf(cause) })
    : new StorageFailed({ operation, path, detail: textOf(cause), cause })

/** Whether the file system refused what was asked because of the request itself: a name too long, a folder in the way. */
export const isRefusal = (cause: unknown): boolean =>
  ["ENAMETOOLONG", "ENOTDIR", "EISDIR", "EINVAL", "EEXIST", "ELOOP", "ENOENT", "EMLINK", "EILSEQ"].includes(codeOf(cause))
