import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { KubeConfig } from "@reddwarf/client"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"

const pem = (label: string) => `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`
const base64 = (text: string) => Buffer.from(text).toString("base64")

const file = (user: string, cluster = "") => `
apiVersion: v1
kind: Config
current-context: main
clusters:
- name: c
  cluster:
    server: https://127.0.0.1:6443/
${cluster}
users:
- name: u
  user:
${user}
contexts:
- name: main
  context: {cluster: c, user: u}
- name: other
  context: {cluster: c, user: u, namespace: team}
- name: dangling
  context: {cluster: missing, user: u}
`

const files = Layer.merge(NodeFileSystem.layer, NodePath.layer)

const inDirectory = <A, E, R>(contents: Record<string, string>, use: (directory: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fileSystem = yield* FileSystem.FileSystem
    const directory = yield* fileSystem.makeTempDirectoryScoped()
    for (const [name, content] of Object.entries(contents)) yield* fileSystem.writeFileString(`${directory}/${name}`, content)
    return yield* use(directory)
  }).pipe(Effect.scoped, Effect.provide(files))

describe("KubeConfig", () => {
  it.live("loads inline data and the current context", () =>
    inDirectory({
      config: file(
        `    client-certificate-data: ${base64(pem("CERTIFICATE"))}\n    client-key-data: ${base64(pem("PRIVATE KEY"))}`,
        `    certificate-authority-data: ${base64(pem("CERTIFICATE"))}`
      )
    }, (directory) =>
      Effect.gen(function*() {
        const config = yield* KubeConfig.load(`${directory}/config`)
        assert.deepStrictEqual(
          [config.server, config.namespace, config.ca, config.cert, config.insecureSkipTlsVerify],
          ["https://127.0.0.1:6443", "default", pem("CERTIFICATE"), pem("CERTIFICATE"), false]
        )
        assert.strictEqual(config.key === undefined ? "" : Redacted.value(config.key), pem("PRIVATE KEY"))
        assert.strictEqual((yield* KubeConfig.load(`${directory}/config`, { context: "other" })).namespace, "team")
      })))

  it.live("loads certificates from files beside it, and a token from its file", () =>
    inDirectory({
      config: file("    client-certificate: client.crt\n    client-key: client.key\n    tokenFile: token", "    certificate-authority: ca.crt"),
      "ca.crt": "the authority",
      "client.crt": "the certificate",
      "client.key": "the key",
      token: "secret\n"
    }, (directory) =>
      Effect.gen(function*() {
        const config = yield* KubeConfig.load(`${directory}/config`)
        assert.deepStrictEqual([config.ca, config.cert], ["the authority", "the certificate"])
        assert.strictEqual(config.token === undefined ? "" : Redacted.value(yield* config.token), "secret")
        assert.notInclude(JSON.stringify(config), "the key")
      })))

  it.live("says what is wrong", () =>
    inDirectory({ broken: "a: [", list: "- 1", exec: file("    exec: {command: aws}"), half: file("    client-certificate: half"), unnamed: "kind: Config" }, (directory) =>
      Effect.gen(function*() {
        const problem = (name: string, context?: string) =>
          Effect.map(Effect.flip(KubeConfig.load(`${directory}/${name}`, context === undefined ? {} : { context })), (error) => error.message)
        assert.include(yield* problem("absent"), "cannot be read")
        assert.include(yield* problem("broken"), "is not YAML")
        assert.include(yield* problem("list"), "does not have the form of a kubeconfig")
        assert.include(yield* problem("exec"), "exec plugin, which is not supported")
        assert.include(yield* problem("half"), "certificate without a key")
        assert.include(yield* problem("unnamed"), "current-context is not set")
        assert.include(yield* problem("half", "nowhere"), "the file has: main, other, dangling")
        assert.include(yield* problem("half", "dangling"), "names the cluster \"missing\"")
      })))
})
