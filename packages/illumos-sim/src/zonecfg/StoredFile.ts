/** `/etc/zones/<zone>.xml`: the configuration of a zone as zonecfg leaves it for everybody to see. What the host goes by is in its state. */
import * as fs from "node:fs"
import type { HostContext } from "../CommandContext.js"
import type { ZoneConfiguration, ZoneResource } from "../HostState.js"

const folder = "/etc/zones"

const escaped = (value: string): string =>
  value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("\"", "&quot;")

const attributes = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values).map(([name, value]) => ` ${name}="${escaped(value)}"`).join("")

const elements: Readonly<Record<string, string>> = { "net": "network", "fs": "filesystem", "capped-memory": "mcap", "dedicated-cpu": "pset" }

const element = ({ kind, options, properties, values }: ZoneResource): string => {
  const name = elements[kind] ?? kind
  const parts = [
    ...options.map((option) => `    <fsoption${attributes({ name: option })}/>`),
    ...values.map((value) => `    <${kind === "rctl" ? "rctl-value" : "net-attr"}${attributes(value)}/>`)
  ]
  return parts.length === 0
    ? `  <${name}${attributes(properties)}/>`
    : [`  <${name}${attributes(properties)}>`, ...parts, `  </${name}>`].join("\n")
}

const documentOf = (zone: string, { properties, resources }: ZoneConfiguration): string =>
  [
    `<?xml version="1.0"?>`,
    `<!DOCTYPE zone PUBLIC "-//Sun Microsystems Inc//DTD Zones//EN" "file:///usr/share/lib/xml/dtd/zonecfg.dtd.1">`,
    `<zone${attributes({ name: zone, ...properties })}>`,
    ...resources.map(element),
    "</zone>",
    ""
  ].join("\n")

const pathOf = ({ files }: HostContext, zone: string): string => files.real(`${folder}/${zone}.xml`)

/** Forgets the file of a zone. @category commands */
export const remove = (context: HostContext, zone: string): void => fs.rmSync(pathOf(context, zone), { force: true })

/** Writes the file of a zone; it takes its name and its place when it is complete. @category commands */
export const write = (context: HostContext, zone: string, configuration: ZoneConfiguration): void => {
  context.files.makeDirectory(context.files.real(folder))
  const path = pathOf(context, zone)
  fs.writeFileSync(`${path}.new`, documentOf(zone, configuration), { mode: 0o644 })
  fs.renameSync(`${path}.new`, path)
}
