import type * as MetaV1 from "./generated/MetaV1.js"

/** What every API object has. @category models */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
}
