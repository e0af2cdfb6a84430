/** What the subresources of a pod may change besides its status: debugging containers, and the resources of running ones. */
import { type FieldError, forbidden, invalid } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import { semanticEqual } from "../internal/structure.js"
import type * as Kind from "../Kind.js"
import { qosClass } from "../PodResources.js"
import { validatePodSpec } from "../validation/PodValidation.js"
import { validateObjectMetaUpdate } from "../validation/MetadataValidation.js"
import * as Names from "../Names.js"

type Errors = ReadonlyArray<FieldError>

const metadataProblems = (next: CoreV1.Pod, old: CoreV1.Pod): Errors =>
  validateObjectMetaUpdate(next.metadata, old.metadata, { namespaced: true, nameRule: Names.isDns1123Subdomain })

/** Debugging containers are added to a pod and stay as they are. */
export const ephemeralContainers: Kind.SubresourceUpdate<CoreV1.Pod> = {
  prepare: (next, old) => {
    if (old.spec === undefined) return old
    const { ephemeralContainers: _, ...spec } = old.spec
    const added = next.spec?.ephemeralContainers
    return { ...old, spec: added === undefined ? spec : { ...spec, ephemeralContainers: added } }
  },
  validate: (next, old) => {
    const path = "spec.ephemeralContainers"
    const containers = new Map((next.spec?.ephemeralContainers ?? []).map((container) => [container.name, container]))
    const changed = (old.spec?.ephemeralContainers ?? []).flatMap((container) => {
      const later = containers.get(container.name)
      if (later === undefined) return [forbidden(path, `existing ephemeral containers ${JSON.stringify(container.name)} may not be removed\n`)]
      return semanticEqual(later, container)
        ? []
        : [forbidden(path, `existing ephemeral containers ${JSON.stringify(container.name)} may not be changed\n`)]
    })
    const own = next.spec === undefined ? [] : validatePodSpec(next.spec, next.metadata.name ?? "").filter((error) => error.path.startsWith(path))
    return [...metadataProblems(next, old), ...own, ...changed]
  }
}

const resized = <A extends CoreV1.Container>(old: ReadonlyArray<A>, next: ReadonlyArray<A> | undefined): ReadonlyArray<A> =>
  old.map((container) => {
    const later = next?.find(({ name }) => name === container.name)
    if (later === undefined) return container
    const { resizePolicy = container.resizePolicy, resources = container.resources } = later
    return {
      ...container,
      ...(resources === undefined ? {} : { resources }),
      ...(resizePolicy === undefined ? {} : { resizePolicy })
    }
  })

const immutableAmounts = (resources: CoreV1.ResourceRequirements | undefined): object => {
  const others = (amounts: Readonly<Record<string, string>> | undefined) =>
    Object.fromEntries(Object.entries(amounts ?? {}).filter(([name]) => name !== "cpu" && name !== "memory"))
  return { requests: others(resources?.requests), limits: others(resources?.limits), claims: resources?.claims ?? [] }
}

const removedAmount = (next: CoreV1.ResourceRequirements | undefined, old: CoreV1.ResourceRequirements | undefined, list: "requests" | "limits") =>
  Object.keys(old?.[list] ?? {}).some((name) => (next?.[list] ?? {})[name] === undefined)

const resizeProblems = (
  path: string,
  next: ReadonlyArray<CoreV1.Container>,
  old: ReadonlyArray<CoreV1.Container>
): Errors =>
  next.flatMap((container, index) => {
    const before = old[index]?.resources
    const at = `${path}[${index}].resources`
    if (!semanticEqual(immutableAmounts(container.resources), immutableAmounts(before))) {
      return [forbidden(at, "only cpu and memory resources are mutable")]
    }
    return [
      ...(removedAmount(container.resources, before, "limits") ? [forbidden(`${at}.limits`, "resource limits cannot be removed")] : []),
      ...(removedAmount(container.resources, before, "requests") ? [forbidden(`${at}.requests`, "resource requests cannot be removed")] : [])
    ]
  })

/** Running containers get other amounts of CPU and memory; the class of the pod stays. */
export const resize: Kind.SubresourceUpdate<CoreV1.Pod> = {
  prepare: (next, old) =>
    old.spec === undefined ? old : {
      ...old,
      spec: {
        ...old.spec,
        containers: resized(old.spec.containers, next.spec?.containers),
        ...(old.spec.initContainers === undefined
          ? {}
          : { initContainers: resized(old.spec.initContainers, next.spec?.initContainers) })
      }
    },
  validate: (next, old) => {
    if (next.spec === undefined || old.spec === undefined) return []
    const before = old.status?.qosClass ?? qosClass(old)
    const after = qosClass(next)
    return [
      ...metadataProblems(next, old),
      ...validatePodSpec(next.spec, next.metadata.name ?? ""),
      ...(before === after ? [] : [invalid("spec", after, "Pod QOS Class may not change as a result of resizing")]),
      ...resizeProblems("spec.containers", next.spec.containers, old.spec.containers),
      ...resizeProblems("spec.initContainers", next.spec.initContainers ?? [], old.spec.initContainers ?? [])
    ]
  }
}
