/** `@kubernetes/client-node`'s typed clients of the other groups, every patch form, the object API, and writers that compete. */
import {
  ApiException, AppsV1Api, AuthorizationV1Api, AutoscalingV2Api, BatchV1Api, CoordinationV1Api, CoreV1Api, CustomObjectsApi, DiscoveryV1Api, KubeConfig,
  KubernetesObjectApi, makeInformer, NetworkingV1Api, NodeV1Api, PatchStrategy, PolicyV1Api, RbacAuthorizationV1Api, SchedulingV1Api, setHeaderOptions, StorageV1Api, VersionApi, Watch
} from "@kubernetes/client-node"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Server, startServer } from "../src/Server.js"
import { waitFor } from "../src/waitFor.js"

const namespace = "default"
const labels = { app: "web" }
const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "nginx:1" }] } }

const codeOf = (error: unknown): number => error instanceof ApiException ? error.code : -1

describe("@kubernetes/client-node, groups", () => {
  let server: Server
  let config: KubeConfig
  let core: CoreV1Api

  beforeAll(async () => {
    server = await startServer(18_530)
    config = new KubeConfig()
    config.loadFromFile(server.kubeconfig)
    core = config.makeApiClient(CoreV1Api)
  })
  afterAll(() => server.stop())

  it("apps: creates, scales, patches and deletes a Deployment", async () => {
    const apps = config.makeApiClient(AppsV1Api)
    const made = await apps.createNamespacedDeployment({ namespace, body: { metadata: { name: "web" }, spec: { replicas: 0, selector: { matchLabels: labels }, template } } })
    expect(made.spec?.strategy?.type).toBe("RollingUpdate")
    const scale = await apps.readNamespacedDeploymentScale({ namespace, name: "web" })
    expect(scale.status?.selector).toBe("app=web")
    await apps.replaceNamespacedDeploymentScale({ namespace, name: "web", body: { metadata: { name: "web", namespace }, spec: { replicas: 2 } } })
    expect((await apps.readNamespacedDeployment({ namespace, name: "web" })).spec?.replicas).toBe(2)
    const containers = async (strategy: string, body: object) =>
      (await apps.patchNamespacedDeployment({ namespace, name: "web", body, ...(strategy === PatchStrategy.ServerSideApply ? { fieldManager: "suite", force: true } : {}) }, setHeaderOptions("Content-Type", strategy)))
        .spec?.template.spec?.containers.map((container) => `${container.name}=${container.image ?? ""}`)
    const change = (name: string, image: string) => ({ spec: { template: { spec: { containers: [{ name, image }] } } } })
    expect(await containers(PatchStrategy.StrategicMergePatch, change("side", "s:1"))).toEqual(["side=s:1", "main=nginx:1"])
    expect(await containers(PatchStrategy.MergePatch, change("main", "nginx:2"))).toEqual(["main=nginx:2"])
    expect(await containers(PatchStrategy.JsonPatch, [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: "nginx:3" }])).toEqual(["main=nginx:3"])
    expect(await containers(PatchStrategy.ServerSideApply, { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, ...change("main", "nginx:4") })).toEqual(["main=nginx:4"])
    await apps.deleteNamespacedDeployment({ namespace, name: "web" })
    expect(codeOf(await apps.readNamespacedDeployment({ namespace, name: "web" }).catch((error: unknown) => error))).toBe(404)
  })

  it("lists every group's kinds", async () => {
    const lists = [
      config.makeApiClient(BatchV1Api).listCronJobForAllNamespaces(),
      config.makeApiClient(AutoscalingV2Api).listHorizontalPodAutoscalerForAllNamespaces(),
      config.makeApiClient(CoordinationV1Api).listLeaseForAllNamespaces(),
      config.makeApiClient(DiscoveryV1Api).listEndpointSliceForAllNamespaces(),
      config.makeApiClient(NetworkingV1Api).listIngressForAllNamespaces(),
      config.makeApiClient(NodeV1Api).listRuntimeClass(),
      config.makeApiClient(PolicyV1Api).listPodDisruptionBudgetForAllNamespaces(),
      config.makeApiClient(SchedulingV1Api).listPriorityClass(),
      config.makeApiClient(StorageV1Api).listStorageClass()
    ]
    expect((await Promise.all<{ readonly kind?: string }>(lists)).map((list) => list.kind)).toEqual([
      "CronJobList", "HorizontalPodAutoscalerList", "LeaseList", "EndpointSliceList", "IngressList", "RuntimeClassList", "PodDisruptionBudgetList", "PriorityClassList", "StorageClassList"
    ])
    expect((await config.makeApiClient(VersionApi).getCode()).minor).toBe("36")
  })

  it("batch, rbac and authorization: creates and asks", async () => {
    const job = await config.makeApiClient(BatchV1Api).createNamespacedJob({ namespace, body: { metadata: { name: "once" }, spec: { suspend: true, template: { spec: { ...template.spec, restartPolicy: "Never" } } } } })
    expect(job.spec?.selector?.matchLabels?.["batch.kubernetes.io/controller-uid"]).toBe(job.metadata?.uid)
    const rbac = config.makeApiClient(RbacAuthorizationV1Api)
    await rbac.createNamespacedRole({ namespace, body: { metadata: { name: "reader" }, rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["list"] }] } })
    await rbac.createNamespacedRoleBinding({ namespace, body: { metadata: { name: "reader" }, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" }, subjects: [{ kind: "User", name: "u" }] } })
    const authorization = config.makeApiClient(AuthorizationV1Api)
    await waitFor("the binding to count", async () => {
      const review = await authorization.createSubjectAccessReview({ body: { spec: { user: "u", resourceAttributes: { namespace, verb: "list", resource: "secrets" } } } })
      return review.status?.allowed === true ? true : undefined
    }, { seconds: 10, everyMillis: 50 })
  })

  it("the object API reads, applies and deletes any kind; custom objects appear with their definition", async () => {
    const objects = KubernetesObjectApi.makeApiClient(config)
    await objects.create({
      apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: { name: "gears.example.org" },
      spec: { group: "example.org", scope: "Namespaced", names: { plural: "gears", kind: "Gear" }, versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: { teeth: { type: "integer", _default: 12 } } } } } } }] }
    } as Parameters<typeof objects.create>[0])
    const custom = config.makeApiClient(CustomObjectsApi)
    const gear = await waitFor("the new kind", () =>
      custom.createNamespacedCustomObject({ group: "example.org", version: "v1", namespace, plural: "gears", body: { apiVersion: "example.org/v1", kind: "Gear", metadata: { name: "g" }, spec: {} } }).catch(() => undefined), { seconds: 10 })
    expect(gear).toMatchObject({ spec: { teeth: 12 } })
    const header = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "by-object", namespace } }
    await objects.create({ ...header, data: { a: "1" } } as Parameters<typeof objects.create>[0])
    expect(await objects.read(header)).toMatchObject({ data: { a: "1" } })
    await objects.patch({ ...header, data: { a: "2" } } as Parameters<typeof objects.create>[0], undefined, undefined, "suite", true, PatchStrategy.ServerSideApply)
    expect(await objects.read(header)).toMatchObject({ data: { a: "2" } })
    await objects.delete(header)
  })

  it("an informer and a watch see the same changes in the same order", async () => {
    const watched: Array<string> = []
    const informed: Array<string> = []
    const list = () => core.listNamespacedConfigMap({ namespace, labelSelector: "suite=watch" })
    const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, list, "suite=watch")
    informer.on("add", (object) => informed.push(`ADDED ${object.metadata?.name ?? ""}`))
    informer.on("update", (object) => informed.push(`MODIFIED ${object.metadata?.name ?? ""}`))
    informer.on("delete", (object) => informed.push(`DELETED ${object.metadata?.name ?? ""}`))
    const start = (await list()).metadata?.resourceVersion
    await informer.start()
    const controller = await new Watch(config).watch(`/api/v1/namespaces/${namespace}/configmaps`, { labelSelector: "suite=watch", resourceVersion: start }, (type: string, object: { metadata: { name: string } }) => watched.push(`${type} ${object.metadata.name}`), () => undefined)
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "seen", labels: { suite: "watch" } } } })
    await core.patchNamespacedConfigMap({ namespace, name: "seen", body: { data: { a: "b" } } }, setHeaderOptions("Content-Type", PatchStrategy.MergePatch))
    await core.deleteNamespacedConfigMap({ namespace, name: "seen" })
    const expected = ["ADDED seen", "MODIFIED seen", "DELETED seen"]
    await waitFor("both to have seen three changes", () => watched.length >= 3 && informed.length >= 3 ? true : undefined, { seconds: 10, everyMillis: 50, seen: () => JSON.stringify({ watched, informed }) })
    expect(watched).toEqual(expected)
    expect(informed).toEqual(expected)
    controller.abort()
    await informer.stop()
  })

  it("of writers on one resourceVersion exactly one wins; retried updates all count", async () => {
    const name = "counter"
    const first = await core.createNamespacedConfigMap({ namespace, body: { metadata: { name }, data: { n: "0" } } })
    const update = (resourceVersion: string | undefined, data: Readonly<Record<string, string>>) =>
      core.replaceNamespacedConfigMap({ namespace, name, body: { metadata: { name, ...(resourceVersion === undefined ? {} : { resourceVersion }) }, data } })
    const results = await Promise.allSettled(Array.from({ length: 8 }, (_, writer) => update(first.metadata?.resourceVersion, { n: "0", writer: String(writer) })))
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1)
    expect(results.flatMap((result) => result.status === "rejected" ? [codeOf(result.reason)] : [])).toEqual(Array.from({ length: 7 }, () => 409))
    const increment = async (): Promise<void> => {
      for (;;) {
        const current = await core.readNamespacedConfigMap({ namespace, name })
        const written = await update(current.metadata?.resourceVersion, { n: String(Number(current.data?.["n"]) + 1) }).catch((error: unknown) => {
          if (codeOf(error) !== 409) throw error
          return undefined
        })
        if (written !== undefined) return
      }
    }
    await Promise.all(Array.from({ length: 10 }, increment))
    expect((await core.readNamespacedConfigMap({ namespace, name })).data?.["n"]).toBe("10")
  })

  it("server-side appliers of different fields both win, of the same field the second is refused", async () => {
    const apply = (fieldManager: string, data: Readonly<Record<string, string>>, dryRun?: string) =>
      core.patchNamespacedConfigMap({ namespace, name: "shared", fieldManager, ...(dryRun === undefined ? {} : { dryRun }), body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "shared" }, data } }, setHeaderOptions("Content-Type", PatchStrategy.ServerSideApply))
    await Promise.all(["a", "b", "c", "d"].map((manager) => apply(manager, { [manager]: "1" })))
    expect((await core.readNamespacedConfigMap({ namespace, name: "shared" })).data).toEqual({ a: "1", b: "1", c: "1", d: "1" })
    expect(codeOf(await apply("b", { a: "2", b: "1" }).catch((error: unknown) => error))).toBe(409)
    expect((await apply("a", { a: "3" }, "All")).data?.["a"]).toBe("3")
    expect((await core.readNamespacedConfigMap({ namespace, name: "shared" })).data?.["a"]).toBe("1")
  })
})
