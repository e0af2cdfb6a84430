/** `/etc/mnttab`: what is mounted where in the global zone, as a kernel shows it. */
import * as fs from "node:fs"
import type { HostContext } from "./CommandContext.js"
import type { Dataset, HostState } from "./HostState.js"
import * as Datasets from "./zfs/Datasets.js"
import * as Properties from "./zfs/Properties.js"

/** Where it is. @category constants */
export const path = "/etc/mnttab"

const line = (host: HostState, dataset: Dataset, point: string): string => {
  const access = Properties.effective(host, dataset, "readonly").value === "on" ? "ro" : "rw"
  return `${[dataset.name, point, "zfs", `${access},devices,setuid,nonbmand,exec,xattr,atime`, String(dataset.creation)].join("\t")}\n`
}

/** The table. The root of the host is in its first pool. @category constructors */
export const text = (host: HostState): string => {
  const mounted = host.datasets.filter((dataset) => dataset.type === "filesystem" && dataset.mounted)
  const root = Datasets.find(host, host.pools[0]?.name ?? "")
  return [
    ...(root === undefined ? [] : [line(host, root, "/")]),
    ...mounted.flatMap((dataset) => {
      const point = Datasets.mountpoint(host, dataset)
      return point.startsWith("/") && point !== "/" ? [line(host, dataset, point)] : []
    })
  ].join("")
}

/** What the table is made from. Inherited values come from another dataset of the same list. */
const signature = ({ datasets, pools }: HostState): string =>
  JSON.stringify([pools[0]?.name, datasets.flatMap(({ local, mounted, name, received, type }) =>
    type === "filesystem" ? [[name, mounted, local["mountpoint"], local["readonly"], received?.["mountpoint"], received?.["readonly"]]] : [])])

/** Keeps the file as the table is: writes it where what it is made from has changed since the last call. @category constructors */
export const keeper = (): (context: HostContext) => void => {
  let written = ""
  return ({ files, host }) => {
    const now = signature(host)
    if (now === written) return
    const file = files.real(path)
    fs.writeFileSync(`${file}.new`, text(host))
    fs.renameSync(`${file}.new`, file)
    written = now
  }
}
