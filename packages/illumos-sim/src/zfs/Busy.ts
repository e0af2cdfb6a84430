/** Whether a zone keeps a dataset busy. */
import * as path from "node:path"
import type { HostContext } from "../CommandContext.js"
import { resources, zonepath, type Dataset } from "../HostState.js"
import * as Datasets from "./Datasets.js"

const within = (folder: string, candidate: string): boolean => candidate === folder || candidate.startsWith(`${folder}${path.sep}`)

/** Name of the zone that uses the dataset through its zonepath, a loopback mount or a delegation. @category combinators */
export const reason = (context: HostContext, dataset: Dataset): string | undefined => {
  const folder = Datasets.folder(context, dataset)
  return context.host.zones.find((zone) => {
    if (zone.kernel === undefined) return false
    if (resources(zone.kernel.snapshot, "dataset").some((delegated) => delegated.properties["name"] === dataset.name)) return true
    return folder !== undefined
      && (within(folder, context.files.real(zonepath(zone))) || zone.kernel.mounts.some((mount) => within(folder, mount.target)))
  })?.name
}
