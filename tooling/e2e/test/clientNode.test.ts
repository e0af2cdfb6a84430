import { ApiException, CoreV1Api, KubeConfig, Log, makeInformer, PatchStrategy, setHeaderOptions, type V1Pod, type V1Status } from "@kubernetes/client-node"
import { Writable } from "node:stream"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Cluster, startCluster } from "../src/Cluster.js"
import { processesWith } from "../src/leaks.js"
import { waitFor } from "../src/waitFor.js"

const namespace = "default"

const shellPod = (name: string, script: string): V1Pod => ({
  metadata: { name, labels: { suite: "client-node" } },
  spec: { terminationGracePeriodSeconds: 2, containers: [{ name: "main", image: "reddwarf.io/shell:1", command: ["/bin/sh", "-c", script] }] }
})

describe("@kubernetes/client-node", () => {
  let cluster: Cluster
  let config: KubeConfig
  let api: CoreV1Api

  /** The Status that a refused request carries. */
  const refused = async (request: Promise<unknown>): Promise<V1Status> => {
    const error: unknown = await request.then(() => undefined, (reason: unknown) => reason)
    if (!(error instanceof ApiException)) throw new Error(`expected a refusal, got ${String(error)}`)
    const body: unknown = error.body
    const status = (typeof body === "string" ? JSON.parse(body) : body) as V1Status
    expect(status.kind).toBe("Status")
    expect(status.code).toBe(error.code)
    return status
  }

  beforeAll(async () => {
    cluster = await startCluster({ port: 17463, nodes: 2 })
    config = new KubeConfig()
    config.loadFromFile(cluster.kubeconfig)
    api = config.makeApiClient(CoreV1Api)
  })
  afterAll(async () => {
    expect((await cluster.stop()).code).toBe(0)
    expect(processesWith(cluster.directory)).toEqual([])
    cluster.dispose()
  })

  it("sees two Ready nodes with capacity, addresses and brands", async () => {
    const { items } = await api.listNode()
    expect(items.map((node) => node.metadata?.name)).toEqual(["node-0", "node-1"])
    for (const node of items) {
      expect(node.status?.conditions?.find((condition) => condition.type === "Ready")?.status).toBe("True")
      expect(node.status?.allocatable?.["pods"]).toBe("110")
      expect(node.metadata?.labels?.["reddwarf.io/zone-brands"]).toContain("sparse")
      expect(node.status?.addresses?.map((address) => address.type)).toEqual(["InternalIP", "Hostname"])
    }
  })

  it("follows a pod's life with an informer, reads its log, patches and deletes it", async () => {
    const seen: Array<string> = []
    const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/pods`, () => api.listNamespacedPod({ namespace, labelSelector: "suite=client-node" }), "suite=client-node")
    informer.on("add", (pod) => seen.push(`add ${pod.status?.phase ?? ""}`))
    informer.on("update", (pod) => seen.push(`update ${pod.status?.phase ?? ""}`))
    informer.on("delete", () => seen.push("delete"))
    await informer.start()
    const created = await api.createNamespacedPod({ namespace, body: shellPod("followed", "trap 'exit 0' TERM; echo one; echo two >&2; while :; do sleep 0.1; done") })
    expect(created.metadata?.uid).toMatch(/^[0-9a-f-]{36}$/)
    await waitFor("an update to Running", () => seen.includes("update Running") ? true : undefined, { seen: () => seen.join() })

    let log = ""
    const stream = new Writable({ write: (chunk: Buffer, _encoding, done) => { log += chunk.toString(); done() } })
    const ended = new Promise((resolve) => { stream.once("finish", resolve) })
    await new Log(config).log(namespace, "followed", "main", stream, { follow: true })
    await waitFor("both lines", () => log.includes("one\n") && log.includes("two\n") ? true : undefined, { seen: () => log })

    const patched = await api.patchNamespacedPod(
      { namespace, name: "followed", body: { metadata: { labels: { patched: "yes" } } } },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch)
    )
    expect(patched.metadata?.labels?.["patched"]).toBe("yes")
    await api.patchNamespacedPod(
      { namespace, name: "followed", body: [{ op: "remove", path: "/metadata/labels/patched" }] },
      setHeaderOptions("Content-Type", PatchStrategy.JsonPatch)
    )
    await api.deleteNamespacedPod({ namespace, name: "followed" })
    // A followed log ends with its container.
    await ended
    await waitFor("the delete event", () => seen.includes("delete") ? true : undefined)
    await informer.stop()
  })

  it("pages a list consistently", async () => {
    for (let n = 0; n < 7; n++) await api.createNamespacedConfigMap({ namespace, body: { metadata: { name: `page-${String(n)}`, labels: { page: "yes" } } } })
    const names: Array<string | undefined> = []
    let token: string | undefined
    const revisions = new Set<string | undefined>()
    do {
      const page = await api.listNamespacedConfigMap({ namespace, labelSelector: "page=yes", limit: 3, ...(token === undefined ? {} : { _continue: token }) })
      expect(page.items.length).toBeLessThanOrEqual(3)
      names.push(...page.items.map((item) => item.metadata?.name))
      revisions.add(page.metadata?.resourceVersion)
      token = page.metadata?._continue
      // What is created between two pages is not in this list.
      await api.createNamespacedConfigMap({ namespace, body: { metadata: { generateName: "page-0-", labels: { page: "yes" } } } })
    } while (token !== undefined && token !== "")
    expect(names).toEqual(Array.from({ length: 7 }, (_, n) => `page-${String(n)}`))
    expect(revisions.size).toBe(1)
  })

  it("gets the Status that Kubernetes gives for bad requests", async () => {
    const missing = await refused(api.readNamespacedPod({ namespace, name: "nope" }))
    expect([missing.code, missing.reason, missing.message]).toEqual([404, "NotFound", "pods \"nope\" not found"])
    expect(missing.details).toEqual({ name: "nope", kind: "pods" })

    const invalid = await refused(api.createNamespacedPod({ namespace, body: shellPod("Bad_Name", "true") }))
    expect([invalid.code, invalid.reason, invalid.details?.causes?.[0]?.field]).toEqual([422, "Invalid", "metadata.name"])

    const nowhere = await refused(api.createNamespacedConfigMap({ namespace: "missing", body: { metadata: { name: "x" } } }))
    expect([nowhere.code, nowhere.message]).toEqual([404, "namespaces \"missing\" not found"])

    const original = await api.createNamespacedConfigMap({ namespace, body: { metadata: { name: "versioned" }, data: { a: "1" } } })
    const changed = (a: string) => ({ ...(original.metadata === undefined ? {} : { metadata: original.metadata }), data: { a } })
    const twice = await refused(api.createNamespacedConfigMap({ namespace, body: { metadata: { name: "versioned" } } }))
    expect([twice.code, twice.reason, twice.message]).toEqual([409, "AlreadyExists", "configmaps \"versioned\" already exists"])
    await api.replaceNamespacedConfigMap({ namespace, name: "versioned", body: changed("2") })
    const stale = await refused(api.replaceNamespacedConfigMap({ namespace, name: "versioned", body: changed("3") }))
    expect([stale.code, stale.reason]).toEqual([409, "Conflict"])

    const large = await refused(api.createNamespacedConfigMap({ namespace, body: { metadata: { name: "large" }, data: { a: "x".repeat(3_500_000) } } }))
    expect([large.code, large.reason]).toEqual([413, "RequestEntityTooLarge"])
    const selector = await refused(api.listNamespacedPod({ namespace, labelSelector: "a b" }))
    expect([selector.code, selector.reason]).toEqual([400, "BadRequest"])
    const field = await refused(api.listNamespacedPod({ namespace, fieldSelector: "spec.foo=1" }))
    expect(field.message).toContain("field label not supported: spec.foo")
  })
})
