/** The descriptions in OpenAPI documents, and `kubectl explain` of several versions with them. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import * as Certificates from "../src/Certificates.js"
import * as HttpsEdge from "../src/HttpsEdge.js"
import * as Kubeconfig from "../src/Kubeconfig.js"
import { call, layerApi } from "./support/api.js"
import { adminCredentials, layerServer, TempDirectory } from "./support/http.js"

const peers = process.env["REDDWARF_PEERS"]
const versions = ["1.20", "1.32", "1.36"]

describe("OpenAPI documents", () => {
  layer(layerApi)((it) => {
    it.effect("describe kinds and fields, also those that are references", () =>
      Effect.gen(function*() {
        const { json: { components: { schemas } } } = yield* call("GET", "/openapi/v3/api/v1")
        const container = schemas["io.k8s.api.core.v1.Container"]
        assert.include(container.description, "single application container")
        assert.include(container.properties.image.description, "Container image name")
        assert.include(container.properties.lifecycle.description, "Actions that the management system should take")
        assert.deepStrictEqual(container.properties.lifecycle.allOf, [{ $ref: "#/components/schemas/io.k8s.api.core.v1.Lifecycle" }])
        assert.include(schemas["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"].properties.labels.description, "Map of string keys and values")
        const { json } = yield* call("GET", "/openapi/v2")
        assert.include(json.definitions["io.k8s.api.apps.v1.Deployment"].properties.spec.description, "desired behavior")
        const described = Object.values<{ description?: string; properties?: object }>(json.definitions).filter((found) => found.properties !== undefined)
        const missing = described.filter(({ description }) => description === undefined)
        assert.isBelow(missing.length, described.length / 10)
      }))
  })
})

describe.skipIf(peers === undefined)("kubectl explain (skipped unless REDDWARF_PEERS names a folder with bin/kubectl-<version>)", () => {
  for (const version of versions) {
    const kubectl = join(peers ?? "", "bin", `kubectl-${version}`)
    it.scopedLive.skipIf(!existsSync(kubectl))(version, () =>
      Effect.gen(function*() {
        const { url } = yield* HttpsEdge.HttpsEdge
        const directory = yield* TempDirectory
        const { authority } = yield* Certificates.Certificates
        const kubeconfig = join(directory, "admin.conf")
        yield* Kubeconfig.write(kubeconfig, { server: url, authority, user: "kubernetes-admin", credentials: yield* adminCredentials })
        const explain = (path: string) =>
          Effect.async<string>((resume) => {
            const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: directory, TMPDIR: directory }
            const child = execFile(kubectl, ["explain", path], { env }, (error, out, errors) =>
              resume(error === null ? Effect.succeed(out.replaceAll(/\s+/g, " ")) : Effect.die(new Error(errors))))
            return Effect.sync(() => child.kill("SIGKILL"))
          })
        const containers = yield* explain("pod.spec.containers")
        assert.include(containers, "A single application container that you want to run within a pod.")
        assert.include(containers, "Container image name.")
        assert.include(containers, "Actions that the management system should take in response to container lifecycle events.")
        assert.include(yield* explain("deployment.spec.replicas"), "Number of desired pods.")
        assert.include(yield* explain("node"), "Node is a worker node in Kubernetes.")
      }).pipe(Effect.provide(layerServer())), 60_000)
  }
})
