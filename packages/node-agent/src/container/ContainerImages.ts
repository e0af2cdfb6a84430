/** The images of a pod's containers: looked up by pull policy and pull secrets, told as a kubelet tells it. */
import * as FileSystem from "@effect/platform/FileSystem"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { type ApiClient, ClientError } from "@reddwarf/client"
import {
  type Image,
  type ImageError,
  ImageStore,
  Keyring,
  LayerStore,
  Platform,
  PullBackOff,
  PullEvent,
  RegistryClient
} from "@reddwarf/images"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { createHash } from "node:crypto"
import { posix } from "node:path"
import * as imagePath from "../internal/imagePath.js"
import * as ContainerRoots from "./ContainerRoots.js"
import type { ContainerImage, ImageRoot } from "./ImageProcess.js"
import { ImageUnavailable } from "../pod/PodError.js"
import * as StaticPod from "../static/StaticPod.js"
import type { PodEvent } from "../pod/PodEvents.js"

/** The images of one pod. @category models */
export interface PodImages {
  /** By container. */
  readonly containers: ReadonlyMap<string, ContainerImage>
  /** What is known of each of them beside that, by container. */
  readonly images: ReadonlyMap<string, Image.Image>
}

/** What is asked for. @category models */
export interface Request {
  readonly pod: CoreV1.Pod
  /** Those of its containers whose images are wanted. Default all but the ephemeral ones. */
  readonly containers?: ReadonlyArray<CoreV1.Container> | undefined
  readonly secrets: ReadonlyArray<Keyring.PullSecret>
  /** Brand that the pod asks for; without one the image decides. */
  readonly brand: string | undefined
  readonly emit: (event: PodEvent) => Effect.Effect<void>
}

/**
 * Brings the images of pods to this host. Absent where no images are configured: then containers run programs of their zone.
 *
 * @category services
 */
export class ContainerImages extends Context.Tag("@reddwarf/node-agent/ContainerImages")<ContainerImages, {
  /** The images of all containers, pulled where the policy says so. They stay on the host until `release`. */
  readonly ensure: (request: Request) => Effect.Effect<PodImages, ImageUnavailable>
  /** Nobody of this pod needs its images any more. */
  readonly release: (uid: string) => Effect.Effect<void>
  /** Nobody but these pods needs images any more: what others were given before this agent began is given back. */
  readonly retain: (uids: ReadonlySet<string>) => Effect.Effect<void>
  /** Removes every image that nobody uses, because the node is short of space. */
  readonly reclaim: Effect.Effect<void>
}>() {}

/** The pull secrets of a pod that exist; whether one that is missing matters, the registry says. @category constructors */
export const pullSecrets = (
  client: ApiClient.Service,
  pod: CoreV1.Pod
): Effect.Effect<ReadonlyArray<Keyring.PullSecret>, ClientError.ClientError> => {
  const { namespace } = pod.metadata
  const names = new Set((pod.spec?.imagePullSecrets ?? []).flatMap(({ name }) => name === undefined || name === "" ? [] : [name]))
  return Effect.forEach(names, (name) =>
    client.get(Kinds.secret, { namespace, name }).pipe(
      Effect.map(({ data = {}, type = "" }) => [{ name, ...(namespace === undefined ? {} : { namespace }), type, data }]),
      Effect.catchIf(ClientError.isNotFound, () => Effect.succeed([]))
    )).pipe(Effect.map((found) => found.flat()))
}

/** Without a brand, any program that some zone can run; those of the node's own kind first. */
const wantedFor = (brand: string | undefined, defaultBrand: string): Platform.Wanted => {
  if (brand !== undefined) return Platform.forBrand(brand)
  const [first, ...rest] = Platform.forBrand(defaultBrand).platforms
  return { platforms: [first, ...rest, ...Platform.forBrand("lx").platforms, ...Platform.forBrand("sparse").platforms] }
}

const policies: ReadonlyArray<ImageStore.PullPolicy> = ["Always", "IfNotPresent", "Never"]

/** As a kubelet does, only what was asked of a registry is asked again later and later: nothing is spared by waiting with the others. */
const isAttempt = ({ _tag }: ImageError.ImageError): boolean => _tag !== "NeverPull" && _tag !== "InvalidReference"

/** What the status of a container shows of its image. */
const idOf = (image: Image.Image): string => image.digests[0] ?? image.id

const largestAccounts = 1024 * 1024

const make = (options: { readonly defaultBrand: string; readonly backOff?: PullBackOff.Options }) =>
  Effect.gen(function*() {
    const store = yield* ImageStore.ImageStore
    const layers = yield* LayerStore.LayerStore
    const registry = yield* RegistryClient.RegistryClient
    const fs = yield* FileSystem.FileSystem
    const backOff = PullBackOff.make(options.backOff)

    /** A file of the image, if it is a plain one: where a link in an image leads is not looked up on this host. */
    const fileOf = (image: Image.Image, name: string): Effect.Effect<string> =>
      Effect.gen(function*() {
        const layer = yield* layers.find(image.chainId)
        if (Option.isNone(layer)) return ""
        const root = yield* layers.files(layer.value)
        const path = `${root}/etc/${name}`
        // The resolved path is as long as the given one only where no part of it is a link.
        const base = yield* fs.realPath(root)
        if ((yield* fs.realPath(path)) !== `${base}/etc/${name}`) return ""
        const { size } = yield* fs.stat(path)
        return size > largestAccounts ? "" : yield* fs.readFileString(path)
      }).pipe(Effect.orElseSucceed(() => ""))

    const accountsOf = (image: Image.Image) =>
      Effect.all({ passwd: fileOf(image, "passwd"), group: fileOf(image, "group") })

    /** What a root of the image has, and where the paths lead that the container is given. */
    const rootOf = (image: Image.Image, container: CoreV1.Container): Effect.Effect<ImageRoot, ImageUnavailable> =>
      Effect.gen(function*() {
        const layer = yield* layers.find(image.chainId)
        const files = yield* Option.match(layer, { onNone: () => Effect.fail("its layers are gone"), onSome: layers.files })
        return yield* Effect.try(() => {
          const given = [...(container.volumeMounts ?? []).map(({ mountPath }) => mountPath), ContainerRoots.messagePath(container)]
          const paths = given.map((path) => posix.resolve("/", path))
          const places = paths.map((path) => [path, imagePath.resolve(files, path) ?? path] as const)
          return {
            // Two images of the same layers are two all the same: what is of one of them can be told from what is of the other.
            id: createHash("sha256").update(idOf(image)).digest("hex").slice(0, 12),
            snapshot: image.snapshot,
            os: image.platform.os,
            hasShell: imagePath.isProgram(files, "/bin/sh"),
            places: new Map(places.filter(([path, place]) => path !== place))
          }
        })
      }).pipe(
        Effect.mapError((error) =>
          new ImageUnavailable({
            container: container.name,
            image: container.image ?? "",
            reason: "CreateContainerError",
            detail: `the files of image "${container.image ?? ""}" cannot be looked at: ${typeof error === "string" ? error : error.message}; remove the image and let it be pulled again`
          }))
      )

    const pull = (request: Request, keyring: Keyring.Keyring, container: CoreV1.Container) =>
      Effect.gen(function*() {
        const image = container.image ?? ""
        const key = `${request.pod.metadata.uid ?? ""} ${image}`
        const tell = (event: PullEvent.PullEvent) => {
          const shown = PullEvent.kubernetesEvent(event)
          return shown === undefined ? Effect.void : request.emit({ ...shown, container: container.name })
        }
        /** The second event says what it means for the container; without it users would not see which attempts were none. */
        const unavailable = (error: ImageError.ImageError, backingOff: boolean) => {
          const { message, reason } = PullEvent.waitingState(image, error, backingOff)
          const failed = new ImageUnavailable({ container: container.name, image, reason, detail: message })
          return Effect.zipRight(
            request.emit({ type: "Warning", reason: "Failed", message: `Error: ${reason}`, container: container.name }),
            Effect.fail(failed)
          )
        }
        const remaining = yield* backOff.remaining(key)
        const last = failures.get(key)
        if (remaining > 0 && last !== undefined) {
          yield* tell(PullEvent.PullEvent.BackOff({ image, remaining }))
          return yield* unavailable(last, true)
        }
        const policy = policies.find((policy) => policy === container.imagePullPolicy)
        const pulled = (policy: ImageStore.PullPolicy | undefined) => store.pull({
          image,
          ...(policy === undefined ? {} : { policy }),
          wanted: wantedFor(request.brand, options.defaultBrand),
          open: (reference) => Effect.sync(() => registry.source(reference, keyring)),
          onEvent: tell
        })
        const { image: found } = yield* pulled(policy).pipe(
          // A static pod starts with what is here when no registry answers; what the registry said stays the reason when nothing is.
          Effect.catchTag("Unreachable", (error) =>
            StaticPod.mayStartFromLocalImage(request.pod) ? Effect.mapError(pulled("Never"), () => error) : Effect.fail(error)),
          // The store tells of everything but a name that it cannot read.
          Effect.tapErrorTag("InvalidReference", (error) => tell(PullEvent.PullEvent.Failed({ image, error }))),
          Effect.tapError((error) =>
            isAttempt(error) ? Effect.zipRight(backOff.failed(key), Effect.sync(() => failures.set(key, error))) : Effect.void),
          Effect.catchAll((error) => unavailable(error, false))
        )
        failures.delete(key)
        yield* backOff.forget(key)
        return found
      })
    const failures = new Map<string, ImageError.ImageError>()

    const ensure = (request: Request) =>
      Effect.gen(function*() {
        const { pod } = request
        const all = request.containers ?? [...pod.spec?.initContainers ?? [], ...pod.spec?.containers ?? []]
        const first = all[0]?.name ?? ""
        const keyring = yield* Effect.mapError(Keyring.fromSecrets(request.secrets), (error) =>
          new ImageUnavailable({ container: first, image: "", reason: "ErrImagePull", detail: error.message }))
        const images: Array<readonly [CoreV1.Container, Image.Image]> = []
        // One after the other, as they are declared: users see in the events what is waited for.
        for (const container of all) images.push([container, yield* pull(request, keyring, container)])
        const containers = yield* Effect.forEach(images, ([container, image]) =>
          Effect.gen(function*() {
            const { name } = container
            yield* store.use(image.id, pod.metadata.uid ?? "").pipe(
              Effect.mapError(({ message }) => new ImageUnavailable({ container: name, image: "", reason: "ErrImagePull", detail: message }))
            )
            const accounts = yield* accountsOf(image)
            const root = yield* rootOf(image, container)
            return [name, { imageID: idOf(image), process: image.config.process, ...accounts, root }] as const
          }))
        return { containers: new Map(containers), images: new Map(images.map(([{ name }, image]) => [name, image])) }
      })

    return ContainerImages.of({
      ensure,
      release: (uid) =>
        store.release(uid).pipe(
          Effect.zipRight(Effect.sync(() => {
            for (const key of failures.keys()) if (key.startsWith(`${uid} `)) failures.delete(key)
          })),
          // The next collection of images finds out who is still there.
          Effect.catchAll((error) => Effect.logWarning("the images of a pod were not given back", error))
        ),
      reclaim: store.prune({ all: true }).pipe(
        Effect.flatMap(({ freed, removed }) =>
          removed.length === 0
            ? Effect.void
            : Effect.logInfo("unused images were removed because space is short").pipe(Effect.annotateLogs({ images: removed.length, freedBytes: freed }))),
        Effect.catchAll((error) => Effect.logWarning("unused images could not be removed; the next look comes", error))
      ),
      retain: (uids) =>
        Effect.catchAll(store.retainUsers(uids), (error) => Effect.logWarning("images of pods that are gone were not given back; the next start does it", error))
    })
  })

/**
 * On the images of this host, from registries.
 *
 * @category layers
 */
export const layer = (options: {
  /** Brand of pods that name none: of two platforms that an image has, its own is taken. */
  readonly defaultBrand: string
  /** Waiting time after a failed pull. Default 10 s doubling to 5 min. */
  readonly backOff?: PullBackOff.Options
}): Layer.Layer<ContainerImages, never, ImageStore.ImageStore | LayerStore.LayerStore | RegistryClient.RegistryClient | FileSystem.FileSystem> =>
  Layer.effect(ContainerImages, make(options))

/** What a pod is made from where images are used. @category models */
export interface Resolved {
  readonly containers: ReadonlyMap<string, ContainerImage>
  /** What decides about the brand of the zone, its root and those in it. */
  readonly facts: {
    readonly image: string
    readonly imageBrand: string | undefined
    readonly platform: Platform.Platform
    readonly roots: ReadonlyArray<ContainerRoots.ContainerRoot>
  }
}

/** Says that containers run programs of their zone, so that nobody wonders whose. */
const notUsed = (pod: CoreV1.Pod): PodEvent => ({
  type: "Normal",
  reason: "ImagesNotUsed",
  message: `no images are configured on this node: containers run programs of their zone instead of those of ${
    [...new Set((pod.spec?.containers ?? []).map(({ image = "" }) => image))].join(", ")
  }`
})

/** Nobody may believe that a root is protected which is not. */
const notReadOnly = (pod: CoreV1.Pod): ReadonlyArray<PodEvent> => {
  const containers = ContainerRoots.notReadOnly({ pod })
  return containers.length === 0 ? [] : [{
    type: "Warning",
    reason: "ReadOnlyRootIgnored",
    message: `without images all containers have the root of their zone, which cannot be read-only: ${containers.join(", ")}`
  }]
}

/**
 * Brings the images of a pod here, for each look at a pod that is to be brought up. Gives nothing where images are not configured.
 *
 * @category constructors
 */
export const resolver = (
  client: ApiClient.Service,
  emit: (pod: CoreV1.Pod, events: ReadonlyArray<PodEvent>) => Effect.Effect<void>
): Effect.Effect<{
  readonly resolve: (
    pod: CoreV1.Pod,
    brand: string | undefined,
    isNew: boolean
  ) => Effect.Effect<Resolved | undefined, ImageUnavailable | ClientError.ClientError>
  /** The image of one container more; undefined where images are not configured. */
  readonly resolveOne: (
    pod: CoreV1.Pod,
    brand: string | undefined,
    container: CoreV1.Container
  ) => Effect.Effect<ContainerImage | undefined, ImageUnavailable | ClientError.ClientError>
  readonly release: (uid: string) => Effect.Effect<void>
}> =>
  Effect.map(Effect.serviceOption(ContainerImages), Option.match({
    onNone: () => ({
      resolve: (pod: CoreV1.Pod, _: string | undefined, isNew: boolean) => isNew ? Effect.as(emit(pod, [notUsed(pod), ...notReadOnly(pod)]), undefined) : Effect.succeed(undefined),
      resolveOne: () => Effect.succeed(undefined),
      release: () => Effect.void
    }),
    onSome: (images) => ({
      resolve: (pod: CoreV1.Pod, brand: string | undefined) =>
        Effect.gen(function*() {
          const secrets = yield* pullSecrets(client, pod)
          const { containers, images: found } = yield* images.ensure({ pod, secrets, brand, emit: (event) => emit(pod, [event]) })
          const problem = ContainerRoots.conflict({ pod, images: containers })
          if (problem !== undefined) {
            return yield* new ImageUnavailable({ container: problem.container, image: "", reason: "CreateContainerError", detail: problem.detail })
          }
          const root = found.get(ContainerRoots.zoneContainer({ pod, images: containers }) ?? "")
          const roots = [...ContainerRoots.of({ pod, images: containers }).values()]
          return root === undefined ? undefined : { containers, facts: { image: root.snapshot, imageBrand: root.brand, platform: root.platform, roots } }
        }),
      resolveOne: (pod: CoreV1.Pod, brand: string | undefined, container: CoreV1.Container) =>
        Effect.gen(function*() {
          const secrets = yield* pullSecrets(client, pod)
          const { containers } = yield* images.ensure({ pod, containers: [container], secrets, brand, emit: (event) => emit(pod, [event]) })
          return containers.get(container.name)
        }),
      release: images.release
    })
  }))
