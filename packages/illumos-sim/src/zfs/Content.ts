/**
 * Where the content of datasets is: below the mountpoint while a file system is mounted, else in a folder of its own, so that an
 * unmounted file system is invisible and comes back as it was. A volume is a sparse file at its device path.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostContext } from "../CommandContext.js"
import type { Dataset } from "../HostState.js"
import { isEmptyFolder, present } from "../internal/hostFiles.js"

const mode = 0o755

/** Folder of a snapshot. @category combinators */
export const ofSnapshot = (context: HostContext, snapshot: Dataset): string =>
  context.files.snapshotFolder(snapshot.content ?? snapshot.guid)

/** Folder of a file system that is not mounted; it need not exist. @category combinators */
export const hidden = (context: HostContext, dataset: Dataset): string => context.files.datasetFolder(dataset.guid)

/** Real path of a volume's device. @category combinators */
export const device = (context: HostContext, name: string): string => context.files.real(`/dev/zvol/rdsk/${name}`)

const blockDevice = (context: HostContext, name: string): string => context.files.real(`/dev/zvol/dsk/${name}`)

/** Puts the content of a file system below `point`; false when something is there already. @category combinators */
export const reveal = (context: HostContext, dataset: Dataset, point: string): boolean => {
  const { files } = context
  if (!files.makeDirectory(point, mode) && !isEmptyFolder(point)) return false
  if (present(hidden(context, dataset))) files.move(hidden(context, dataset), point)
  return true
}

/** Takes the content of a file system away from `point`; an empty folder stays there. @category combinators */
export const conceal = (context: HostContext, dataset: Dataset, point: string): void => {
  if (!present(point) || point === context.files.root) return
  context.files.move(point, hidden(context, dataset))
  fs.mkdirSync(point, { mode })
}

/** Makes or resizes the device of a volume. @category combinators */
export const sizeVolume = (context: HostContext, name: string, bytes: number): void => {
  const raw = device(context, name)
  context.files.makeDirectory(path.dirname(raw))
  fs.closeSync(fs.openSync(raw, "a"))
  fs.truncateSync(raw, bytes)
  const block = blockDevice(context, name)
  context.files.makeDirectory(path.dirname(block))
  if (!present(block)) fs.symlinkSync(path.relative(path.dirname(block), raw), block)
}

/** Removes the device of a volume. @category combinators */
export const removeVolume = (context: HostContext, name: string): void => {
  for (const file of [blockDevice(context, name), device(context, name)]) context.files.remove(file)
}

/** Gives the device of a volume another name. @category combinators */
export const renameVolume = (context: HostContext, from: string, to: string): void => {
  const raw = device(context, from)
  if (!present(raw)) return
  const size = fs.statSync(raw).size
  context.files.makeDirectory(path.dirname(device(context, to)))
  fs.renameSync(raw, device(context, to))
  context.files.remove(blockDevice(context, from))
  sizeVolume(context, to, size)
}

/** The file that holds the content of a volume inside the folder of its snapshot. @category combinators */
export const volumeFile = "volume"
