/** Rules of replacing a pod: nearly all of its spec is fixed when it is created. */
import { all, among, at, each, forbidden, invalid, none, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { address, named, optionalName } from "../internal/fieldRules.js"
import { differences, semanticEqual } from "../internal/structure.js"
import * as Names from "../Names.js"
import { validateImmutable } from "./MetadataValidation.js"
import { validatePodSpec } from "./PodValidation.js"
import { restartable } from "./RestartValidation.js"

const changeable = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
].join(",")

const maximumDifferences = 10
const maximumSeconds = 2_147_483_647

/** Whether the containers are the same ones, so that they can be compared one by one. */
const sameContainers = (path: string, next: ReadonlyArray<CoreV1.Container>, old: ReadonlyArray<CoreV1.Container>): Errors =>
  next.length === old.length ? none : [forbidden(path, "pod updates may not add or remove containers")]

const validateDeadline = (path: string, next: number | undefined, old: number | undefined): Errors => {
  if (next === undefined) return old === undefined ? none : [invalid(path, null, "must not update from a positive integer to nil value")]
  if (next < 0 || next > maximumSeconds) return [invalid(path, next, Names.rangeProblem(0, maximumSeconds))]
  return old !== undefined && old < next ? [invalid(path, next, "must be less than or equal to previous value")] : none
}

const tolerationKey = ({ effect = "", key = "", operator = "", value = "" }: CoreV1.Toleration): string =>
  [key, operator, value, effect].join("\n")

const validateTolerationsKept = (path: string, next: ReadonlyArray<CoreV1.Toleration>, old: ReadonlyArray<CoreV1.Toleration>): Errors => {
  const kept = new Set(next.map(tolerationKey))
  return old.every((toleration) => kept.has(tolerationKey(toleration))) ? none : [forbidden(path, "existing toleration can not be modified except its tolerationSeconds")]
}

const validateGatesOnlyRemoved = (
  path: string,
  next: ReadonlyArray<CoreV1.PodSchedulingGate>,
  old: ReadonlyArray<CoreV1.PodSchedulingGate>
): Errors => {
  const before = new Set(old.map(({ name }) => name))
  return at(
    path,
    each(next, ({ name }) =>
      before.has(name) ? none : [forbidden(".name", `only deletion is allowed, but found new scheduling gate '${name}'`)]
    )
  )
}

/** While a pod waits behind gates, its choice of nodes may still be narrowed. */
const validateNarrowing = (path: string, next: CoreV1.PodSpec, old: CoreV1.PodSpec): Errors => {
  const removed = Object.entries(old.nodeSelector ?? {}).some(([key, value]) => next.nodeSelector?.[key] !== value)
  const before = old.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const after = next.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const terms = `${path}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`
  const widened = among(before, (term, index) => {
    const narrowed = after[index]
    const keeps = (list: "matchExpressions" | "matchFields"): boolean =>
      (term[list] ?? []).every((requirement) => (narrowed?.[list] ?? []).some((other) => semanticEqual(other, requirement)))
    return keeps("matchExpressions") && keeps("matchFields")
      ? none
      : [invalid(`${terms}[${index}]`, narrowed ?? null, "only additions are allowed (no mutations or deletions)")]
  })
  return all(
    removed ? [invalid(`${path}.nodeSelector`, next.nodeSelector ?? {}, "only additions are allowed (no mutations or deletions)")] : none,
    before.length > 0 && before.length !== after.length
      ? [invalid(terms, after, "no additions/deletions to non-empty NodeSelectorTerms list are allowed")]
      : none,
    widened
  )
}

const withNodeAffinity = (next: CoreV1.Affinity | undefined, old: CoreV1.Affinity | undefined): CoreV1.Affinity => {
  const { nodeAffinity: _, ...rest } = next ?? {}
  return old?.nodeAffinity === undefined ? rest : { ...rest, nodeAffinity: old.nodeAffinity }
}

/** The new spec with everything that may change set back: what still differs was not allowed to. */
const withoutAllowedChanges = (next: CoreV1.PodSpec, old: CoreV1.PodSpec): CoreV1.PodSpec => {
  const images = (containers: ReadonlyArray<CoreV1.Container>, before: ReadonlyArray<CoreV1.Container>): ReadonlyArray<CoreV1.Container> =>
    containers.map((container, index) => ({ ...container, image: before[index]?.image ?? "" }))
  const gated = (old.schedulingGates ?? []).length > 0
  const { activeDeadlineSeconds: _, ...rest } = next
  const shortenedGrace = (old.terminationGracePeriodSeconds ?? 0) < 0 && next.terminationGracePeriodSeconds === 1
  return {
    ...rest,
    containers: images(next.containers, old.containers),
    initContainers: images(next.initContainers ?? [], old.initContainers ?? []),
    tolerations: old.tolerations ?? [],
    schedulingGates: old.schedulingGates ?? [],
    ...(old.activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds: old.activeDeadlineSeconds }),
    ...(shortenedGrace && old.terminationGracePeriodSeconds !== undefined
      ? { terminationGracePeriodSeconds: old.terminationGracePeriodSeconds }
      : {}),
    ...(gated ? { nodeSelector: old.nodeSelector ?? {}, affinity: withNodeAffinity(next.affinity, old.affinity) } : {})
  }
}

const validateSpecChange = (next: CoreV1.PodSpec, old: CoreV1.PodSpec): Errors => {
  const added = all(
    sameContainers("spec.containers", next.containers, old.containers),
    sameContainers("spec.initContainers", next.initContainers ?? [], old.initContainers ?? [])
  )
  if (added.length > 0) return added
  const gated = (old.schedulingGates ?? []).length > 0
  const changed = differences(withoutAllowedChanges(next, old), old, "", maximumDifferences)
  return all(
    validateDeadline("spec.activeDeadlineSeconds", next.activeDeadlineSeconds, old.activeDeadlineSeconds),
    validateTolerationsKept("spec.tolerations", next.tolerations ?? [], old.tolerations ?? []),
    validateGatesOnlyRemoved("spec.schedulingGates", next.schedulingGates ?? [], old.schedulingGates ?? []),
    gated ? validateNarrowing("spec", next, old) : none,
    changed.length === 0
      ? none
      : [forbidden("spec", `pod updates may not change fields other than ${changeable}\nchanged: ${changed.join(", ")}`)]
  )
}

/** A container that ended and will not start again cannot run again in a later status. */
const validateTransitions = (
  path: string,
  next: ReadonlyArray<CoreV1.ContainerStatus> = [],
  old: ReadonlyArray<CoreV1.ContainerStatus> = [],
  mayRestart: (name: string, exitCode: number) => boolean
): Errors => {
  if (old.every(({ state }) => state?.terminated === undefined)) return none
  const byName = new Map(next.map((status) => [status.name, status]))
  return at(
    path,
    each(old, ({ name, state }) => {
      const terminated = state?.terminated
      if (terminated === undefined || mayRestart(name, terminated.exitCode)) return none
      const later = byName.get(name)
      return later === undefined || later.state?.terminated !== undefined
        ? none
        : [forbidden(".state", "may not be transitioned to non-terminated state")]
    })
  )
}

const validateAddresses = (path: string, addresses: ReadonlyArray<{ readonly ip: string }> | undefined): Errors => {
  if (addresses === undefined) return none
  const families = new Set(addresses.map(({ ip }) => ip.includes(":")))
  return at(
    path,
    all(
      each(addresses, ({ ip }) => address("", ip)),
      addresses.length > families.size ? [invalid("", addresses, "may specify no more than one IP for each IP family")] : none
    )
  )
}

const systemConditions: ReadonlySet<string> = new Set(["PodScheduled", "Ready", "Initialized"])

const validateCondition = ({ type }: CoreV1.PodCondition): Errors =>
  systemConditions.has(type) ? none : named(".Type", type, Names.isQualifiedName)

const validateHostAddress = ({ hostIP, hostIPs }: CoreV1.PodStatus): Errors => {
  const first = hostIPs?.[0]
  return first === undefined || first.ip === hostIP ? none : [invalid("[0].ip", first.ip, "must be equal to `hostIP`")]
}

const validateStatusChange = (next: CoreV1.Pod, old: CoreV1.Pod): Errors => {
  const after = next.status ?? {}
  const before = old.status ?? {}
  if (semanticEqual(after, before)) return none
  const mayRestart = restartable(old.spec)
  return at(
    "status",
    all(
      at(".conditions", each(after.conditions, validateCondition)),
      optionalName(".nominatedNodeName", after.nominatedNodeName, Names.isDns1123Subdomain),
      (before.qosClass ?? "") === "" ? none : validateImmutable(".qosClass", after.qosClass ?? "", before.qosClass ?? ""),
      validateTransitions(".containerStatuses", after.containerStatuses, before.containerStatuses, mayRestart),
      validateTransitions(".initContainerStatuses", after.initContainerStatuses, before.initContainerStatuses, mayRestart),
      validateTransitions(".ephemeralContainerStatuses", after.ephemeralContainerStatuses, before.ephemeralContainerStatuses, () => false),
      validateAddresses(".podIPs", after.podIPs),
      validateAddresses(".hostIPs", after.hostIPs),
      at(".hostIPs", validateHostAddress(after))
    )
  )
}

/**
 * Problems of replacing `old` by `next`. The text about the spec ends with the paths that may not differ.
 *
 * @category combinators
 */
export const validatePodUpdate = (next: CoreV1.Pod, old: CoreV1.Pod): Errors => {
  if (next.spec === undefined || old.spec === undefined) return next.spec === undefined ? [required("spec.containers")] : none
  const unchanged = semanticEqual(next.spec, old.spec)
  return all(
    unchanged ? none : validatePodSpec(next.spec, next.metadata.name ?? ""),
    unchanged ? none : validateSpecChange(next.spec, old.spec),
    validateStatusChange(next, old)
  )
}
