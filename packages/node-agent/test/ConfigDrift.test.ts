import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { ConfigLook, PodSandbox, ZoneInstanceKind } from "@reddwarf/node-agent"
import type { ZoneInstance } from "@reddwarf/plans"
import { CommandLine, CommandRunner, ZoneConfig, ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as h from "./support/harness.js"

const kind = ZoneInstanceKind.zoneInstance
const served = FakeApi.layer({ kinds: [...Kinds.all, kind] })
const ref = (name: string) => ({ namespace: "default", name })

const withNode = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.zipRight(h.emptyAtEnd, Effect.zipRight(h.supervisorFiber(folders), body(folders))).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(served), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

const untilInstance = (what: string, test: (instance: ZoneInstance.ZoneInstance) => boolean, seconds = 20) =>
  Effect.gen(function*() {
    const api = yield* FakeApi.FakeApi
    let last: ZoneInstance.ZoneInstance | undefined
    return yield* h.until(
      `the ZoneInstance to be ${what}`,
      Effect.sync(() => {
        last = api.get(kind, ref("web"))
        return last !== undefined && test(last) ? last : undefined
      }),
      seconds
    ).pipe(Effect.mapError(({ seconds, what }) => new h.WaitedInVain({ what, seconds, last: JSON.stringify(last) })))
  })

const isDone = (type: string) => ({ status }: ZoneInstance.ZoneInstance) => status?.lastPlan?.type === type && status.plan === undefined && status.lastPlan.outcome === "Complete"

const zoneOf = (pod: CoreV1.Pod) => ZoneName.make(PodSandbox.namesOf(PodSandbox.identityOf(pod)).zone)

/** What an administrator does by hand. */
const zonecfg = (folders: h.Directories, zone: string, ...lines: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const file = join(folders.root, "by-hand.zonecfg")
    writeFileSync(file, [...lines, "commit", ""].join("\n"))
    const result = yield* runner.run(CommandLine.make("/usr/sbin/zonecfg", "-z", zone, "-f", file))
    assert.strictEqual(result.exitCode, 0, result.stderr)
  })

/** As a host would tell it apart: the order of resources means nothing. */
const exported = (zone: ZoneName.ZoneName) =>
  Effect.flatMap(ZoneRuntime.ZoneRuntime, (zones) => Effect.map(zones.configuration(zone), ({ config, unknown }) => [ZoneConfig.normalize(config), unknown]))

const eventsOf = (reason: string) =>
  Effect.map(FakeApi.FakeApi, (api) => api.list<CoreV1.Event>(Kinds.event, "default").filter((event) => event.reason === reason).map(({ message }) => message))

const container = (more: Partial<CoreV1.Container> = {}) => ({ name: "c", command: h.sh("echo \"$COLOUR\"; while :; do sleep 1; done"), ...more })

const colour = (value: string): CoreV1.ConfigMap => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "look", namespace: "default" }, data: { colour: value } })

const withColour = container({ env: [{ name: "COLOUR", valueFrom: { configMapKeyRef: { name: "look", key: "colour" } } }] })

describe("configuration that differs", () => {
  it.live("of a zone, changed by hand, is stored again as it was; nothing is started anew", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.agent(folders)
        yield* h.createPod(h.draft("web", [container({ resources: { requests: { cpu: "100m" }, limits: { cpu: "500m", memory: "64Mi" } } })]))
        const pod = yield* h.untilPod("web", "ready", h.isReady)
        yield* untilInstance("brought up", isDone("init"))
        const zone = zoneOf(pod)
        const before = yield* exported(zone)
        const pid = (yield* h.podState(folders, pod))?.containers[0]?.pid
        yield* zonecfg(
          folders,
          zone,
          "set autoboot=true",
          "set limitpriv=default,dtrace_user",
          "remove attr name=reddwarf-uid",
          "add attr",
          "set name=comment",
          "set type=string",
          "set value=mine",
          "end",
          "add fs",
          "set dir=/mnt",
          "set special=/export",
          "set type=lofs",
          "end",
          "remove rctl name=zone.cpu-cap",
          "set max-sem-ids=200"
        )
        const shown = yield* untilInstance("repaired", isDone("config-update"))
        assert.deepStrictEqual(shown.status?.lastPlan?.tasks.map(({ type }) => type), ["persist-zonecfg", "open-gates"])
        assert.deepStrictEqual(yield* exported(zone), before)
        const [message = ""] = yield* eventsOf("PlanCreated")
        for (const word of ["autoboot", "limitpriv", "attr reddwarf-uid", "attr comment", "fs /mnt", "capped-cpu", "max-sem-ids"]) assert.include(message, word)
        assert.strictEqual((yield* h.podState(folders, pod))?.containers[0]?.pid, pid)
        assert.isTrue(h.isReady((yield* h.getPod("web")) ?? pod))
      })), 60_000)

  it.live("of a zone that was booted with it is stored again, and takes effect by a boot where that is asked for", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.agent(folders)
        const draft = h.draft("web", [container()])
        yield* h.createPod({ ...draft, metadata: { ...draft.metadata, annotations: { [ConfigLook.annotation]: "Apply" } } })
        const pod = yield* h.untilPod("web", "ready", h.isReady)
        yield* untilInstance("brought up", isDone("init"))
        const zone = zoneOf(pod)
        const before = yield* exported(zone)
        const client = yield* ApiClient.ApiClient
        const zones = yield* ZoneRuntime.ZoneRuntime
        // Two changes by hand: the first tells, by being repaired, that this boot was looked at.
        yield* zonecfg(folders, zone, "set autoboot=true")
        yield* untilInstance("repaired", isDone("config-update"))
        yield* client.patch(kind, ref("web"), { spec: { paused: true } }, { type: "merge" })
        yield* untilInstance("paused", ({ spec }) => spec.paused === true)
        yield* zones.halt(zone)
        yield* zonecfg(folders, zone, "set limitpriv=default,dtrace_user")
        yield* zones.boot(zone)
        const booted = (yield* zones.list)[0]?.id ?? 0
        yield* client.patch(kind, ref("web"), { spec: { paused: null } }, { type: "merge" })
        const shown = yield* untilInstance("booted anew", isDone("restart"), 40)
        assert.deepStrictEqual(shown.status?.lastPlan?.tasks.map(({ type }) => type), [
          "persist-zonecfg", "pre-stop", "halt-zone", "ensure-network", "boot-zone", "wait-init", "open-gates"
        ])
        assert.deepStrictEqual(yield* exported(zone), before)
        assert.isAbove((yield* zones.list)[0]?.id ?? 0, booted)
        yield* h.untilPod("web", "ready again", h.isReady)
      })), 90_000)

  it.live("of an environment changes nothing while its pod runs, and starts containers anew where that is asked for", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.agent(folders)
        const client = yield* ApiClient.ApiClient
        yield* client.create(Kinds.configMap, colour("red"))
        yield* h.createPod(h.draft("web", [withColour]))
        const pod = yield* h.untilPod("web", "ready", h.isReady)
        yield* untilInstance("brought up", isDone("init"))
        const pid = (yield* h.podState(folders, pod))?.containers[0]?.pid
        yield* client.patch(Kinds.configMap, ref("look"), { data: { colour: "blue" } }, { type: "merge" })
        // Something else that a pass does, after which it would have seen the change.
        yield* zonecfg(folders, zoneOf(pod), "set autoboot=true")
        const first = yield* untilInstance("repaired", isDone("config-update"))
        assert.deepStrictEqual(first.status?.lastPlan?.tasks.map(({ type }) => type), ["persist-zonecfg", "open-gates"])
        assert.strictEqual((yield* h.podState(folders, pod))?.containers[0]?.pid, pid)

        yield* client.patch(kind, ref("web"), { spec: { updatePolicy: { config: "Apply" } } }, { type: "merge" })
        const shown = yield* untilInstance("given the other environment", ({ status }) =>
          status?.plan === undefined && status?.lastPlan?.id !== first.status?.lastPlan?.id && status?.lastPlan?.outcome === "Complete")
        assert.deepStrictEqual([shown.status?.lastPlan?.type, shown.status?.lastPlan?.tasks.map(({ type }) => type)], [
          "config-update", ["render-files", "reload-or-restart", "open-gates"]
        ])
        yield* h.untilPod("web", "started anew", (pod) => h.isReady(pod) && h.container(pod, "c")?.restartCount === 1)
        yield* h.until("its output", Effect.sync(() => h.logText(folders, pod, "c", 1) === "blue\n" ? true : undefined))
        assert.strictEqual(h.logText(folders, pod, "c", 0), "red\n")
      })), 60_000)
})
