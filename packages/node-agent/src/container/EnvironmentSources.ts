/** What the environments of a pod's containers are taken from beside the pod itself: values of ConfigMaps and Secrets. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import { createHash } from "node:crypto"
import type { PodSources } from "../volume/PodSources.js"

/** Containers that are started anew with other values: init containers that have run do not run again. */
const lasting = ({ spec }: CoreV1.Pod): ReadonlyArray<CoreV1.Container> => [
  ...(spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always"),
  ...spec?.containers ?? []
]

type Kind = "configMap" | "secret"

const reference = ({ configMapKeyRef, secretKeyRef }: CoreV1.EnvVarSource): readonly [Kind, name: string, key: string] | undefined =>
  configMapKeyRef !== undefined
    ? ["configMap", configMapKeyRef.name ?? "", configMapKeyRef.key]
    : secretKeyRef === undefined ? undefined : ["secret", secretKeyRef.name ?? "", secretKeyRef.key]

/** Whether any of its variables comes from a ConfigMap or Secret. @category combinators */
export const concerns = (pod: CoreV1.Pod): boolean =>
  lasting(pod).some(({ env = [], envFrom = [] }) => envFrom.length > 0 || env.some(({ valueFrom }) => valueFrom !== undefined && reference(valueFrom) !== undefined))

/** The pod without what is not about variables of its containers, so that nothing else is read for it. @category combinators */
export const only = (pod: CoreV1.Pod): CoreV1.Pod => ({ ...pod, spec: { containers: [...lasting(pod)] } })

/**
 * A hash over those values, as the containers refer to them: a change of what they do not refer to does not change it.
 *
 * @category constructors
 */
export const hashOf = (pod: CoreV1.Pod, { configMaps, secrets }: Pick<PodSources, "configMaps" | "secrets">): string => {
  const dataOf = (kind: Kind, name: string): Readonly<Record<string, string>> | undefined =>
    kind === "configMap" ? configMaps.get(name)?.data : secrets.get(name)?.data
  const all = lasting(pod).map(({ env = [], envFrom = [], name }) => [
    name,
    envFrom.map(({ configMapRef, prefix = "", secretRef }) => {
      const data = configMapRef === undefined ? dataOf("secret", secretRef?.name ?? "") : dataOf("configMap", configMapRef.name ?? "")
      return [prefix, Object.entries(data ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))]
    }),
    env.flatMap(({ name, valueFrom }) => {
      const found = valueFrom === undefined ? undefined : reference(valueFrom)
      return found === undefined ? [] : [[name, dataOf(found[0], found[1])?.[found[2]] ?? null]]
    })
  ])
  return createHash("sha256").update(JSON.stringify(all)).digest("hex").slice(0, 32)
}
