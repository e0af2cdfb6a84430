/**
 * The exact commands by which a pod becomes a zone and goes again, as one text. A line that begins with `$ ` is a command as an operator
 * would type it; one that begins with `> ` is a file that a command reads or that is put into the root of the zone, its content between
 * the two lines `<<<` and `>>>`.
 */
import { Either } from "effect"
import * as CommandLine from "../src/CommandLine.js"
import * as Dladm from "../src/Dladm.js"
import * as LinkName from "../src/LinkName.js"
import { toConfig } from "../src/internal/zoneSpecConfig.js"
import * as Zlogin from "../src/Zlogin.js"
import * as ZoneAdm from "../src/ZoneAdm.js"
import * as ZoneBrands from "../src/ZoneBrands.js"
import * as ZoneCfg from "../src/ZoneCfg.js"
import * as ZoneConfig from "../src/ZoneConfig.js"
import type { PodShape } from "./podShapes.js"

const stub = LinkName.make("rdstub0")

const file = (path: string, mode: number, content: string): string =>
  `> ${path} ${mode.toString(8).padStart(4, "0")}\n<<<\n${content}${content.endsWith("\n") ? "" : "\n"}>>>`

const typed = (line: CommandLine.CommandLine): string => `$ ${CommandLine.format(line)}`

/** A command as a program would give it to the zone. */
const example = ["/bin/sh", "-c", "echo \"it's $1\"", "sh", "a b"]

/** The transcript of one pod. */
export const transcriptOf = (shape: PodShape): string => {
  const { dialect, name, spec, title } = shape
  const brand = ZoneBrands.profileOf(ZoneBrands.standard, spec.brand)
  const config = Either.getOrThrow(toConfig(brand, spec, dialect))
  const script = Either.getOrThrow(ZoneConfig.render(spec.zoneName, config, { dialect }))
  const installArguments = spec.installArguments ?? Either.getOrThrow(brand.installArguments(spec))
  const links = [...new Set(spec.network.map(({ link }) => link))]
  const zone = spec.zoneName
  return `${[
    `# ${name}: ${title}`,
    `# ${dialect === "gate" ? "illumos-gate" : "OmniOS, SmartOS"}`,
    "",
    ...links.map((link) => typed(Dladm.createVnic({ name: link, over: stub }))),
    file("/tmp/zone.zonecfg", 0o600, script),
    typed(ZoneCfg.applyFile(zone, "/tmp/zone.zonecfg")),
    typed(ZoneAdm.install(zone, installArguments)),
    ...brand.rootFiles(spec).map((root) => file(`${spec.zonepath}/root${root.path}`, root.mode, root.content)),
    typed(ZoneAdm.boot(zone)),
    typed(ZoneAdm.listOne(zone)),
    ...(brand.processes
      ? [typed(Either.getOrThrow(Zlogin.command(zone, example, { timeout: "10 seconds", token: "golden", failsafe: true })))]
      : []),
    ...(brand.shutdown.kind === "graceful" ? [typed(ZoneAdm.shutdown(zone))] : []),
    typed(ZoneAdm.halt(zone)),
    typed(ZoneAdm.uninstall(zone)),
    typed(ZoneCfg.deleteForced(zone)),
    ...links.map((link) => typed(Dladm.deleteVnic(link)))
  ].join("\n")}\n`
}
