/** What a Job's controller reads from its pods, and the pods that it makes. Pure. */
import { type BatchV1, type CoreV1, Kinds, OwnerReference, PodPhase, Timestamp } from "@reddwarf/api-types"

/** Keeps a pod until it has been counted. */
export const trackingFinalizer = "batch.kubernetes.io/job-tracking"

const indexAnnotation = "batch.kubernetes.io/job-completion-index"
const failureCountAnnotation = "batch.kubernetes.io/job-index-failure-count"
const ignoredCountAnnotation = "batch.kubernetes.io/job-index-ignored-failure-count"

export const uidOf = (object: BatchV1.Job | CoreV1.Pod): string => object.metadata.uid ?? ""

export const isIndexed = (job: BatchV1.Job): boolean => job.spec?.completionMode === "Indexed"

export const isTracked = (pod: CoreV1.Pod): boolean => pod.metadata.finalizers?.includes(trackingFinalizer) === true

export const isActive = (pod: CoreV1.Pod): boolean => !PodPhase.isTerminal(pod) && !PodPhase.isTerminating(pod)

/** Whether a pod is replaced only once it has really ended, not when its deletion begins. */
export const replacesFailedOnly = ({ spec }: BatchV1.Job): boolean =>
  spec?.podReplacementPolicy === "Failed" || spec?.podFailurePolicy !== undefined

/** Whether a pod counts as failed. One that is deleted before it ended will never end, unless the Job wants to know how it ended. */
export const isFailed = (job: BatchV1.Job, pod: CoreV1.Pod): boolean => {
  if (pod.status?.phase === "Failed") return true
  if (!PodPhase.isTerminating(pod) || pod.status?.phase === "Succeeded") return false
  // Without grace the node has said that nothing of the pod is left.
  return !replacesFailedOnly(job) || pod.metadata.deletionGracePeriodSeconds === 0
}

const whole = (text: string | undefined): number | undefined => (text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined)

/** Which completion the pod is for; undefined when it is for none of the Job's. */
export const indexOf = (job: BatchV1.Job, pod: CoreV1.Pod): number | undefined => {
  const index = whole(pod.metadata.annotations?.[indexAnnotation])
  return index === undefined || index >= (job.spec?.completions ?? 0) ? undefined : index
}

/** Failures of the index before this pod that count against its limit, and those that do not. */
export const failuresBefore = (pod: CoreV1.Pod): { readonly counted: number; readonly ignored: number } => ({
  counted: whole(pod.metadata.annotations?.[failureCountAnnotation]) ?? 0,
  ignored: whole(pod.metadata.annotations?.[ignoredCountAnnotation]) ?? 0
})

/** When the pod ended, in milliseconds since the epoch, as well as it can be told. */
export const endedAt = (pod: CoreV1.Pod): number => {
  const { containerStatuses = [] } = pod.status ?? {}
  const ends = containerStatuses.map(({ state }) => Timestamp.toMillis(state?.terminated?.finishedAt))
  const known = ends.filter((end) => end !== undefined)
  if (known.length > 0 && known.length === ends.length) return Math.max(...known)
  const { creationTimestamp, deletionGracePeriodSeconds = 0, deletionTimestamp } = pod.metadata
  const deleted = Timestamp.toMillis(deletionTimestamp)
  if (deleted !== undefined) return deleted - 1000 * deletionGracePeriodSeconds
  return Timestamp.toMillis(PodPhase.condition(pod, "Ready")?.lastTransitionTime) ?? Timestamp.toMillis(creationTimestamp) ?? 0
}

/** Restarts of the containers of pods that go on. */
export const restarts = (pods: ReadonlyArray<CoreV1.Pod>): number =>
  pods.flatMap(({ status }) => [...status?.initContainerStatuses ?? [], ...status?.containerStatuses ?? []])
    .reduce((sum, { restartCount }) => sum + restartCount, 0)

const indexVariable: CoreV1.EnvVar = {
  name: "JOB_COMPLETION_INDEX",
  valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexAnnotation}']` } }
}

const withIndexVariable = <A extends CoreV1.Container>(container: A): A =>
  container.env?.some(({ name }) => name === indexVariable.name) === true
    ? container
    : { ...container, env: [...container.env ?? [], indexVariable] }

/** What a new pod is for: an index, and how often that has failed where the Job counts it by index. */
export interface Place {
  readonly index: number
  readonly failures: { readonly counted: number; readonly ignored: number } | undefined
}

const placeAnnotations = ({ failures, index }: Place): Readonly<Record<string, string>> => ({
  [indexAnnotation]: String(index),
  ...(failures === undefined ? {} : { [failureCountAnnotation]: String(failures.counted) }),
  ...(failures === undefined || failures.ignored === 0 ? {} : { [ignoredCountAnnotation]: String(failures.ignored) })
})

/** A new pod of the Job. */
export const draft = (job: BatchV1.Job, place: Place | undefined): Omit<CoreV1.Pod, "apiVersion" | "kind"> => {
  const { metadata: { annotations, finalizers, labels } = {}, spec } = job.spec?.template ?? {}
  const { name = "", namespace } = job.metadata
  const placed = spec === undefined || place === undefined ? spec : {
    ...spec,
    hostname: spec.hostname ?? `${name}-${place.index}`,
    containers: spec.containers.map(withIndexVariable),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(withIndexVariable) })
  }
  return {
    metadata: {
      generateName: place === undefined ? `${name}-` : `${name}-${place.index}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...labels, ...(place === undefined ? {} : { [indexAnnotation]: String(place.index) }) },
      ...(annotations === undefined && place === undefined ? {} : { annotations: { ...annotations, ...(place === undefined ? {} : placeAnnotations(place)) } }),
      finalizers: [...finalizers ?? [], trackingFinalizer],
      ownerReferences: [OwnerReference.controllerOf(Kinds.job, job)]
    },
    ...(placed === undefined ? {} : { spec: placed })
  }
}
