/** `reddwarf-agent doctor`: checks a host before an agent runs on it. */
import { Command, Options } from "@effect/cli"
import { Program, Settings } from "@reddwarf/cli"
import { KubeConfig } from "@reddwarf/client"
import { HostCheck, HostCheckReport, HostChecks } from "@reddwarf/node-agent"
import { Console, Effect, Option } from "effect"
import { stringify } from "yaml"
import * as Host from "./Host.js"
import { dataDir, options as run } from "./RunSettings.js"

const formats = ["text", "json", "yaml"] as const

const url = (text: string): Option.Option<URL> => {
  const parsed = URL.parse(text)
  return parsed !== null && (parsed.protocol === "https:" || parsed.protocol === "http:") ? Option.some(parsed) : Option.none()
}

const printed = (format: (typeof formats)[number], report: HostCheckReport.Report): string =>
  format === "json" ? JSON.stringify(report, null, 2) : format === "yaml" ? stringify(report).trimEnd() : HostCheckReport.table(report)

export const doctor = Command.make("doctor", {
  config: Settings.file,
  dataDir,
  host: run.host,
  storagePool: run.storagePool,
  brands: run.brands,
  server: Options.text("server").pipe(
    Options.filterMap(url, "server must be a URL such as https://10.0.0.1:6443"),
    Options.optional,
    Options.withDescription("the API server to try; default that of the kubeconfig")
  ),
  kubeconfig: Settings.text("kubeconfig").pipe(Options.optional, Options.withDescription("credentials of this node: its API server is tried, and its certificate checked")),
  seconds: Settings.orElse(Settings.integer("timeout-seconds", 1, 600), 10, "how long one check may take"),
  output: Options.choice("output", formats).pipe(Options.withAlias("o"), Options.withDefault("text" as const), Options.withDescription("a table, or data for programs"))
}, ({ brands, dataDir, host, kubeconfig, output, seconds, server, storagePool }) =>
  Effect.gen(function*() {
    yield* Host.check(host)
    const cluster = Option.isSome(kubeconfig) ? yield* KubeConfig.load(kubeconfig.value) : undefined
    const known = Option.getOrElse(server, () => cluster === undefined ? undefined : URL.parse(cluster.server) ?? undefined)
    if (cluster !== undefined && known === undefined) return yield* Program.wrongUsage(`the kubeconfig names no usable server: ${cluster.server}`)
    const findings = yield* HostCheck.run(
      HostChecks.of({
        dataDir,
        storagePool,
        brands: Option.getOrElse(brands, () => []),
        ...(known === undefined ? {} : { server: known }),
        ...(cluster?.ca === undefined ? {} : { ca: cluster.ca }),
        nodeVersion: process.versions.node,
        pid: process.pid
      }),
      { timeout: `${seconds} seconds` }
    ).pipe(Effect.provide(Host.commandRunner(host, dataDir)))
    const report = HostCheckReport.of(findings)
    yield* Console.log(printed(output, report))
    return yield* Effect.sync(() => {
      process.exitCode = report.usable ? 0 : 1
    })
  })).pipe(Command.withDescription("Check whether this host can run pods, and say what to do where it cannot"))
