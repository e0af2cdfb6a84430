/** `reddwarf-server history`: what an object was before, and back to it. */
import { Args, Command, Options } from "@effect/cli"
import { ObjectDiff, Tables, Timestamp } from "@reddwarf/api-types"
import { ApiClient, HttpTransport, ObjectHistory } from "@reddwarf/client"
import { Clock, Console, Effect, Layer, Option } from "effect"
import * as KubeconfigOption from "./KubeconfigOption.js"

type Version = ObjectHistory.Version

const shown = (value: unknown): string => JSON.stringify(value) ?? ""

/** The difference of two versions, one line for what was and one for what is. */
const differences = (before: unknown, after: unknown): ReadonlyArray<string> =>
  ObjectDiff.between(before, after).flatMap(({ after: next, before: last, path }) => [
    ...(last === undefined ? [] : [`  - ${path}: ${shown(last)}`]),
    ...(next === undefined ? [] : [`  + ${path}: ${shown(next)}`])
  ])

const columns = ["REVISION", "VERB", "USER", "MANAGER", "AGE", "CHANGED"]

const cells = (version: Version, now: number): ReadonlyArray<string> => [
  version.revision,
  version.subresource === undefined ? version.verb : `${version.verb} ${version.subresource}`,
  version.user,
  version.manager ?? "",
  Tables.humanDuration(Math.max(0, now - (Timestamp.toMillis(version.time) ?? now))),
  version.changed.join(", ")
]

const aligned = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("   ").trimEnd())
}

const print = (versions: ReadonlyArray<Version>, diff: boolean) =>
  Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const [head = "", ...lines] = aligned([columns, ...versions.map((version) => cells(version, now))])
    yield* Console.log(head)
    for (const [i, line] of lines.entries()) {
      yield* Console.log(line)
      if (diff && i > 0) for (const change of differences(versions[i - 1]?.object, versions[i]?.object)) yield* Console.log(change)
    }
  })

export const history = Command.make("history", {
  resource: Args.text({ name: "RESOURCE" }).pipe(Args.withDescription("kind of the object, such as deployment or deployments.apps")),
  name: Args.text({ name: "NAME" }),
  namespace: Options.text("namespace").pipe(
    Options.withAlias("n"),
    Options.optional,
    Options.withDescription("namespace of the object; default: that of the kubeconfig")
  ),
  diff: Options.boolean("diff").pipe(Options.withDescription("show each field that a version changed")),
  restore: Options.text("restore").pipe(
    Options.optional,
    Options.withDescription("make the object again what it was at this revision, also when it was deleted")
  ),
  kubeconfig: KubeconfigOption.option
}, ({ diff, kubeconfig, name, namespace, resource, restore }) =>
  Effect.gen(function*() {
    const config = yield* KubeconfigOption.load(kubeconfig)
    const client = ApiClient.layer.pipe(Layer.provide(HttpTransport.layer(config)))
    yield* Effect.gen(function*() {
      const found = yield* ObjectHistory.read(resource, name, Option.getOrElse(namespace, () => config.namespace))
      if (Option.isNone(restore)) {
        yield* print(found.versions, diff)
        return
      }
      const restored = yield* ObjectHistory.restore(found, restore.value)
      yield* Console.log(
        `${found.kind.singular} ${name} is again what it was at revision ${restore.value}, now at revision ${restored.metadata.resourceVersion ?? ""}`
      )
    }).pipe(Effect.provide(client))
  })).pipe(Command.withDescription("Show who changed an object when and what, or bring a former version back"))
