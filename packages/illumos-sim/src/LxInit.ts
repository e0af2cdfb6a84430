/** What the first process of a Linux zone does before it becomes `/sbin/init`, as far as it can be seen. */
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostContext } from "./CommandContext.js"
import * as ContainedRoot from "./ContainedRoot.js"
import { resources, type Zone } from "./HostState.js"
import { zoneRoot } from "./ZoneFileSystems.js"

/**
 * Writes `/etc/resolv.conf` from the attributes of the zone, at each boot, over whatever is there: name servers and one domain. A zone without
 * the attributes keeps what its root has.
 *
 * @category combinators
 */
export const writeResolver = (context: HostContext, zone: Zone): void => {
  if (zone.configuration.properties["brand"] !== "lx") return
  const attribute = (name: string): string =>
    resources(zone.configuration, "attr").find(({ properties }) => properties["name"] === name)?.properties["value"] ?? ""
  const servers = attribute("resolvers").split(",").filter((server) => server !== "")
  const domain = attribute("dns-domain")
  if (servers.length === 0 && domain === "") return
  const folder = ContainedRoot.resolveInside(zoneRoot(context, zone), "/etc")
  if (folder === undefined || !fs.statSync(folder).isDirectory()) return
  const file = ContainedRoot.resolveInside(zoneRoot(context, zone), "/etc/resolv.conf") ?? path.join(folder, "resolv.conf")
  const entry = fs.lstatSync(file, { throwIfNoEntry: false })
  // A link that leads nowhere in the root could lead somewhere on this machine.
  if (entry !== undefined && !entry.isFile()) return
  fs.writeFileSync(file, [...servers.map((server) => `nameserver ${server}`), ...(domain === "" ? [] : [`domain ${domain}`])].map((line) => `${line}\n`).join(""))
}
