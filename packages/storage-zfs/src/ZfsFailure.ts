/** Which error a refusal of zfs or zpool means. Success is exit 0 only; the text decides, since exit codes differ between systems. */
import type { CommandRunner } from "@reddwarf/runtime-illumos"
import {
  DatasetBusy,
  DatasetExists,
  DatasetHasChildren,
  DatasetHasClones,
  DatasetNotFound,
  DatasetNotMounted,
  HoldExists,
  HoldNotFound,
  NotSupported,
  OutOfSpace,
  PoolUnavailable,
  PropertyRejected,
  type StorageError,
  StoragePermissionDenied,
  StreamRejected,
  ZfsCommandFailed
} from "./StorageError.js"

interface Context {
  readonly operation: string
  readonly dataset: string
  readonly detail: string
}

interface Row {
  readonly pattern: RegExp
  readonly error: new(context: Context) => StorageError
}

const table: ReadonlyArray<Row> = [
  { pattern: /successfully created, but not mounted|directory is not empty/, error: DatasetNotMounted },
  { pattern: /no such pool|I\/O is currently suspended|pool is unavailable|pool I\/O/, error: PoolUnavailable },
  { pattern: /Please make sure that the zfs-fuse daemon is running|ZFS modules are not loaded/, error: PoolUnavailable },
  { pattern: /tag already exists on this dataset/, error: HoldExists },
  { pattern: /no such tag on this dataset/, error: HoldNotFound },
  { pattern: /destination has snapshots|destination '.*' exists/, error: DatasetExists },
  {
    pattern:
      /invalid (?:backup )?stream|failed to read from stream|incomplete stream|has been modified|does not\s+match incremental source|checksum mismatch/,
    error: StreamRejected
  },
  { pattern: /dataset does not exist|parent does not exist|could not find any snapshots|could not send .*: does not exist/, error: DatasetNotFound },
  { pattern: /dataset already exists/, error: DatasetExists },
  { pattern: /has dependent clones/, error: DatasetHasClones },
  { pattern: /has children/, error: DatasetHasChildren },
  { pattern: /out of space|Disc quota exceeded|No space left/i, error: OutOfSpace },
  { pattern: /is busy|Device busy|being held|used in a non-global zone|exported to a local zone/, error: DatasetBusy },
  { pattern: /umount failed|unmount failed/, error: DatasetBusy },
  { pattern: /permission denied|Permission denied/, error: StoragePermissionDenied },
  {
    pattern:
      /invalid property|must be one of|is readonly|bad numeric value|too long|size is (less|greater) than|bad property list|does not apply/,
    error: PropertyRejected
  }
]

/** Abortion by SIGABRT is how zfs-fuse says that it lacks something. */
const unsupported = /Function not implemented|operation not supported|unsupported version|^invalid option '|unrecognized command|No such file or directory.*pyzfs|pyzfs\.py/m

const detailLimit = 600

/**
 * The error a failed command means.
 *
 * @category errors
 */
export const classify = (operation: string, dataset: string, result: CommandRunner.CommandResult): StorageError => {
  const text = result.stderr.trim() === "" ? result.stdout.trim() : result.stderr.trim()
  const line = text.replaceAll(/\s*\n\s*/g, " | ")
  const detail = line.length > detailLimit ? `${line.slice(0, detailLimit)}…` : line
  if (unsupported.test(text)) return new NotSupported({ operation, dataset, detail })
  const row = table.find(({ pattern }) => pattern.test(text))
  return row === undefined
    ? new ZfsCommandFailed({ operation, dataset, detail, exitCode: result.exitCode })
    : new row.error({ operation, dataset, detail })
}
