/** A whole control plane in this process, with three nodes that each lack something. */
import { NodeContext } from "@effect/platform-node"
import { Kinds } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import { Certificates, HttpsEdge, Kubeconfig } from "@reddwarf/apiserver"
import { Program } from "@reddwarf/cli"
import { ApiClient, HttpTransport, KubeConfig } from "@reddwarf/client"
import { Console, Effect, Layer, Option } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as waiting from "vitest-config/waiting"
import { command } from "../../src/Cli.js"
import * as ControlPlane from "../../src/ControlPlane.js"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "reddwarf-schedule-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** Runs one command line in this process; gives exit status and what it printed. */
export const run = (words: ReadonlyArray<string>, environment: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function*() {
    const output: Array<string> = []
    const console = yield* Console.consoleWith(Effect.succeed)
    const record = (...args: ReadonlyArray<unknown>) => Effect.sync(() => void output.push(args.join(" ")))
    const exit = yield* Program.run({
      name: "reddwarf-server",
      version: "1",
      prefix: "REDDWARF",
      names: [],
      command,
      argv: ["node", "reddwarf-server", ...words],
      environment
    }).pipe(Effect.provide(NodeContext.layer), Effect.withConsole({ ...console, log: record, error: record }), Effect.exit)
    let status = -1
    Program.teardown(exit, (code) => {
      status = code
    })
    return { status, lines: output.join("\n").split("\n") }
  })

interface NodeShape {
  readonly cpu: string
  readonly spec?: CoreV1.NodeSpec
}

const createNode = (name: string, { cpu, spec = {} }: NodeShape) =>
  Effect.gen(function*() {
    const api = yield* ApiClient.ApiClient
    const status = {
      allocatable: { cpu, memory: "8Gi", pods: "110", "ephemeral-storage": "10Gi" },
      conditions: [{ type: "Ready", status: "True" as const, lastHeartbeatTime: new Date().toISOString() }]
    }
    yield* api.create(Kinds.node, { metadata: { name, labels: { "kubernetes.io/hostname": name } } })
    yield* api.patch(Kinds.node, { name }, { status }, { subresource: "status" })
    yield* api.patch(Kinds.node, { name }, { spec: { taints: [], ...spec } })
    // The controllers of the nodes have their say, too: that a new node is not ready, that a cordoned one takes no pods.
    const wanted = [...(spec.taints ?? []).map(({ key }) => key), ...(spec.unschedulable === true ? ["node.kubernetes.io/unschedulable"] : [])]
    yield* waiting.until(
      `${name} is as the controllers want it`,
      Effect.map(api.get(Kinds.node, { name }), (node) => String((node.spec?.taints ?? []).map(({ key }) => key)) === String(wanted))
    )
  })

export const pod = (name: string, cpu: string): ApiClient.Draft<CoreV1.Pod> => ({
  metadata: { name, namespace: "default" },
  spec: { containers: [{ name: "main", image: "example/app:1", resources: { requests: { cpu } } }] }
})

/** Waits until the condition of the pod says that it was not placed. */
export const refused = (name: string) =>
  Effect.flatMap(ApiClient.ApiClient, (api) =>
    waiting.until(
      `${name} is refused`,
      Effect.map(api.get(Kinds.pod, { name, namespace: "default" }), ({ status }) =>
        status?.conditions?.find((condition) => condition.type === "PodScheduled" && condition.status === "False" && condition.message?.includes("nodes are available") === true))
    ))

/** Waits until the pod has a node, and gives it. */
export const nodeOf = (name: string) =>
  Effect.flatMap(ApiClient.ApiClient, (api) =>
    waiting.until(`${name} is placed`, Effect.map(api.get(Kinds.pod, { name, namespace: "default" }), ({ spec }) => spec?.nodeName)))

export interface Plane {
  readonly directory: string
  /** Kubeconfig of the administrator. */
  readonly file: string
  /** Kubeconfig of a user who may do nothing yet. */
  readonly visitor: string
}

/** Starts it with the nodes `small` (1 cpu), `closed` (cordoned) and `tainted`, and runs a test on it as the administrator. */
export const withPlane = <A, E>(test: (plane: Plane) => Effect.Effect<A, E, ApiClient.ApiClient>) =>
  Effect.gen(function*() {
    const directory = yield* temporary
    const plane = ControlPlane.layer({
      dataDir: join(directory, "data"),
      bind: { host: "127.0.0.1", port: 0 },
      advertise: "127.0.0.1:6443",
      external: Option.none(),
      tokenFile: Option.none(),
      serviceNetwork: "10.96.0.0/12",
      issuer: "https://kubernetes.default.svc.cluster.local",
      traced: false
    }).pipe(Layer.provideMerge(Certificates.layer({ directory: join(directory, "pki") })))
    return yield* Effect.gen(function*() {
      const { url } = yield* HttpsEdge.HttpsEdge
      const issuer = yield* Certificates.Certificates
      const write = (user: string, groups: ReadonlyArray<string>) =>
        Effect.gen(function*() {
          const file = join(directory, user)
          const credentials = yield* issuer.client("admin", user, groups)
          yield* Kubeconfig.write(file, { server: url, authority: issuer.authority, user, credentials })
          return file
        })
      const file = yield* write("ada", ["system:masters"])
      const visitor = yield* write("vera", [])
      const client = ApiClient.layer.pipe(Layer.provide(HttpTransport.layer(yield* KubeConfig.load(file))))
      return yield* Effect.gen(function*() {
        yield* createNode("small", { cpu: "1" })
        yield* createNode("closed", { cpu: "8", spec: { unschedulable: true } })
        yield* createNode("tainted", { cpu: "8", spec: { taints: [{ key: "team", value: "blue", effect: "NoSchedule" }] } })
        return yield* test({ directory, file, visitor })
      }).pipe(Effect.provide(client))
    }).pipe(Effect.provide(plane))
  }).pipe(Effect.provide(NodeContext.layer))
