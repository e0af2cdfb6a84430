/**
 * What decoding, defaulting and validating a pod of about 2 KB cost. Run it against a build: `node bench/decode.ts`.
 * Numbers are for comparing one version of the package with the next on the same machine.
 */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { Kinds, ObjectCodec, Tables } from "@reddwarf/api-types"

const container = (name: string) => ({
  name,
  image: "registry.example.com/team/app:1.2.3",
  command: ["/bin/app", "--listen", ":8080"],
  env: [
    { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    { name: "LEVEL", value: "info" }
  ],
  ports: [{ name: "http", containerPort: 8080 }],
  resources: { requests: { cpu: "250m", memory: "128Mi" }, limits: { cpu: "1", memory: "256Mi" } },
  livenessProbe: { httpGet: { path: "/healthz", port: "http" }, periodSeconds: 5 },
  readinessProbe: { httpGet: { path: "/readyz", port: "http" } },
  volumeMounts: [
    { name: "data", mountPath: "/data" },
    { name: "conf", mountPath: "/etc/app", readOnly: true }
  ],
  securityContext: { runAsUser: 1000, allowPrivilegeEscalation: false }
})

const text = JSON.stringify({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "app-0", namespace: "default", labels: { app: "app", tier: "web" }, annotations: { note: "x".repeat(200) } },
  spec: {
    containers: [container("app"), container("side")],
    volumes: [{ name: "data" }, { name: "conf", configMap: { name: "app" } }],
    tolerations: [{ key: "a", operator: "Exists" }],
    nodeSelector: { zone: "a" }
  }
})

const json: unknown = JSON.parse(text)
const decoded = Either.getOrThrow(ObjectCodec.decode(Kinds.pod, json)).object
const pod = Kinds.pod.defaults(Kinds.pod.prepareForCreate(decoded, 0))

const cases: ReadonlyArray<readonly [name: string, run: () => unknown]> = [
  ["JSON.parse", () => JSON.parse(text)],
  ["decode", () => ObjectCodec.decode(Kinds.pod, json)],
  ["decode text with duplicates", () => ObjectCodec.decodeText(Kinds.pod, text, { reportDuplicates: true })],
  ["defaults", () => Kinds.pod.defaults(decoded)],
  ["validate", () => Kinds.pod.validate(pod)],
  ["validate an unchanged update", () => Kinds.pod.validateUpdate({ ...pod, metadata: { ...pod.metadata } }, pod)],
  ["table row", () => Tables.row(Kinds.pod, pod, 0)]
]

const repetitions = 20_000

const measure = ([name, run]: readonly [string, () => unknown]) =>
  Effect.gen(function*() {
    for (let index = 0; index < 2000; index++) run()
    const start = yield* Clock.currentTimeNanos
    for (let index = 0; index < repetitions; index++) run()
    const nanos = Number((yield* Clock.currentTimeNanos) - start)
    yield* Console.log(`${name.padEnd(32)} ${(nanos / repetitions / 1000).toFixed(2).padStart(8)} us`)
  })

await Effect.runPromise(
  Effect.zipRight(Console.log(`pod of ${text.length} bytes`), Effect.forEach(cases, measure, { discard: true }))
)
