/**
 * An API in memory with what a scheduler needs of one and no more: it lists and watches nodes and pods, binds, takes status patches and deletions. Each costs next
 * to nothing, so that the scheduler is what is measured: its informers, queue, filters, scores, and the whole way of a binding.
 */
import { type CoreV1, Kinds, type KubeObject, Status } from "@reddwarf/api-types"
import { ApiClient, Transport } from "@reddwarf/client"
import { Effect, Layer, Stream } from "effect"

type Stored = CoreV1.Node | CoreV1.Pod

interface Watcher {
  readonly kind: "nodes" | "pods" | "others"
  waiting: Array<Transport.StoredEvent>
  wake: (() => void) | undefined
}

const json = { "content-type": "application/json" }
const answer = (status: number, body: unknown): Transport.Response => ({ status, headers: json, body: new TextEncoder().encode(JSON.stringify(body)) })
const keyOf = ({ metadata: { name = "", namespace } }: KubeObject.KubeObject): string => namespace === undefined ? name : `${namespace}/${name}`

/** A cluster to which the benchmark adds what it likes. */
export class MemoryCluster {
  readonly nodes = new Map<string, CoreV1.Node>()
  readonly pods = new Map<string, CoreV1.Pod>()
  /** Told when a pod got a node, or was taken away. */
  onBound: (pod: CoreV1.Pod) => void = () => undefined
  onDeleted: (pod: CoreV1.Pod) => void = () => undefined
  /** How often a condition was written. */
  conditions = 0
  readonly #watchers = new Set<Watcher>()
  #revision = 1

  setNode(node: CoreV1.Node): void {
    this.#store(this.nodes, "nodes", node)
  }

  removeNode(name: string): void {
    this.#remove(this.nodes, "nodes", name)
  }

  setPod(pod: CoreV1.Pod): void {
    this.#store(this.pods, "pods", pod)
  }

  removePod(key: string): void {
    const pod = this.#remove(this.pods, "pods", key)
    if (pod !== undefined) this.onDeleted(pod)
  }

  #store<A extends Stored>(into: Map<string, A>, kind: Watcher["kind"], object: A): void {
    const key = keyOf(object)
    const type = into.has(key) ? "MODIFIED" : "ADDED"
    const resourceVersion = String(++this.#revision)
    const next = { ...object, metadata: { ...object.metadata, resourceVersion } }
    into.set(key, next)
    this.#tell(kind, { type, stored: { key, resourceVersion, object: next } })
  }

  #remove<A extends Stored>(from: Map<string, A>, kind: Watcher["kind"], key: string): A | undefined {
    const object = from.get(key)
    if (object === undefined) return undefined
    from.delete(key)
    this.#tell(kind, { type: "DELETED", stored: { key, resourceVersion: String(++this.#revision), object } })
    return object
  }

  #tell(kind: Watcher["kind"], event: Transport.StoredEvent): void {
    for (const watcher of this.#watchers) {
      if (watcher.kind !== kind) continue
      watcher.waiting.push(event)
      watcher.wake?.()
      watcher.wake = undefined
    }
  }

  #kindOf(path: string): Watcher["kind"] {
    return path.startsWith("/api/v1/nodes") ? "nodes" : path.startsWith("/api/v1/pods") ? "pods" : "others"
  }

  #stored = (request: Transport.Request): Effect.Effect<Transport.StoredAnswer> =>
    Effect.sync(() => {
      const kind = this.#kindOf(request.path)
      if (request.path.includes("watch=")) {
        const watcher: Watcher = { kind, waiting: [], wake: undefined }
        this.#watchers.add(watcher)
        return { _tag: "Watch" as const, run: (emit) => this.#run(watcher, emit) }
      }
      const objects: Iterable<Stored> = kind === "nodes" ? this.nodes.values() : kind === "pods" ? this.pods.values() : []
      const items = Array.from(objects, (object) => ({ key: keyOf(object), resourceVersion: object.metadata.resourceVersion ?? "", object }))
      return { _tag: "List" as const, items, resourceVersion: String(this.#revision) }
    })

  #run(watcher: Watcher, emit: Transport.EmitStored): Effect.Effect<void> {
    const next = Effect.async<ReadonlyArray<Transport.StoredEvent>>((resume) => {
      const take = (): void => {
        const events = watcher.waiting
        watcher.waiting = []
        resume(Effect.succeed(events))
      }
      if (watcher.waiting.length > 0) take()
      else watcher.wake = () => setImmediate(take)
    })
    return Effect.ensuring(Effect.forever(Effect.flatMap(next, emit)), Effect.sync(() => void this.#watchers.delete(watcher)))
  }

  /** The verbs that write, and the read of one pod. */
  #request = (request: Transport.Request): Effect.Effect<Transport.Response> =>
    Effect.sync(() => {
      const [path = ""] = request.path.split("?")
      const [, namespace, name, subresource] = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? []
      if (path.endsWith("/events")) return answer(201, { ...parsed(request), apiVersion: "v1", kind: "Event" })
      const key = `${namespace ?? ""}/${name ?? ""}`
      const pod = this.pods.get(key)
      if (pod === undefined) return answer(404, Status.notFound(Kinds.pod, key))
      if (request.method === "DELETE") {
        this.removePod(key)
        return answer(200, Status.success())
      }
      if (subresource === "binding") return this.#bind(pod, parsed(request))
      if (request.method === "PATCH") {
        this.conditions += 1
        const { status } = parsed(request)
        this.setPod({ ...pod, status: { ...pod.status, ...status } })
      }
      return answer(200, this.pods.get(key))
    })

  #bind(pod: CoreV1.Pod, binding: Body): Transport.Response {
    if (pod.spec?.nodeName !== undefined) return answer(409, Status.conflict(Kinds.pod, keyOf(pod)))
    const bound: CoreV1.Pod = { ...pod, spec: { containers: [], ...pod.spec, nodeName: binding.target?.name ?? "" } }
    this.setPod(bound)
    this.onBound(bound)
    return answer(201, Status.success())
  }

  /** A client of this cluster. */
  readonly client: Layer.Layer<ApiClient.ApiClient> = ApiClient.layer.pipe(
    Layer.provide(Layer.succeed(Transport.Transport, {
      request: this.#request,
      open: () => Effect.succeed({ status: 200, headers: json, body: Stream.never }),
      stored: this.#stored
    }))
  )
}

interface Body {
  readonly target?: { readonly name: string }
  readonly status?: CoreV1.PodStatus
}

const parsed = ({ body }: Transport.Request): Body => {
  const text = typeof body === "string" ? body : new TextDecoder().decode(body)
  const value: Body = JSON.parse(text)
  return value
}

