import type * as Kind from "../../Kind.js"
import { horizontalPodAutoscaler } from "../HorizontalPodAutoscaler.js"
import { horizontalPodAutoscalerV1 } from "../HorizontalPodAutoscalerV1.js"

export { horizontalPodAutoscaler, horizontalPodAutoscalerV1 }

/** The kinds of `autoscaling`, in the order of discovery: clients prefer the first version. @category constructors */
export const autoscaling: ReadonlyArray<Kind.Kind> = [horizontalPodAutoscaler, horizontalPodAutoscalerV1]
