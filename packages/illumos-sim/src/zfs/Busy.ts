/** Whether a zone keeps a dataset busy. */
import * as path from "node:path"
import type { HostContext } from "../CommandContext.js"
import { resources, zonepath, type Dataset } from "../HostState.js"
import * as Datasets from "./Datasets.js"

const within = (folder: string, candidate: string): boolean => candidate === folder || candidate.startsWith(`${folder}${path.sep}`)

/** Name of the booted zone that the dataset, or one above it, is delegated to. @category combinators */
export const delegatedTo = (context: HostContext, dataset: Dataset): string | undefined =>
  context.host.zones.find(({ kernel }) =>
    kernel !== undefined && resources(kernel.snapshot, "dataset").some(({ properties: { name = "" } }) =>
      dataset.name === name || dataset.name.startsWith(`${name}/`))
  )?.name

/** Name of the booted zone that the dataset is the root of, or that it is delegated to. @category combinators */
export const rootOf = (context: HostContext, dataset: Dataset): string | undefined => {
  const folder = Datasets.folder(context, dataset)
  return delegatedTo(context, dataset)
    ?? context.host.zones.find((zone) => zone.kernel !== undefined && folder !== undefined && within(folder, context.files.real(zonepath(zone))))?.name
}

/** Name of the zone that uses the dataset through its zonepath, a loopback mount or a delegation. @category combinators */
export const reason = (context: HostContext, dataset: Dataset): string | undefined => {
  const folder = Datasets.folder(context, dataset)
  return rootOf(context, dataset)
    ?? context.host.zones.find(({ kernel }) => folder !== undefined && kernel?.mounts.some((mount) => within(folder, mount.target)) === true)?.name
}
