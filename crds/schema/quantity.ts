import * as z from "zod";
import { readQuantity } from "#lib/kube/quantity.ts";

/** Of what Kubernetes takes, the forms that say one thing in one way. */
const QUANTITY = /^([0-9]{1,9}(?:\.[0-9]{1,3})?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/;
/** Volume sizes: bytes with a suffix, never zero. */
const VOLUME_SIZE = /^([1-9][0-9]{0,5}(\.[0-9]{1,3})?)(M|G|T|Mi|Gi|Ti)$/;

/**
 * The number a quantity stands for (bytes, cores), e.g. `500m` is 0.5 and `1Ki` is 1024.
 * @throws RangeError for text that is not a quantity as our schemas allow it.
 */
export function parseQuantity(quantity: string | number): number {
  const number = QUANTITY.test(String(quantity)) ? readQuantity(quantity) : undefined;
  if (number === undefined) throw new RangeError(`"${quantity}" is not a quantity`);
  return number;
}

/** An amount of a resource; whole numbers may be written without quotes. */
export const quantitySchema = z
  .union([z.int().min(0).max(999_999_999), z.string().max(16).regex(QUANTITY, "is not a quantity such as 500m or 2Gi")])
  .meta({ "x-kubernetes-int-or-string": true });

/** The size of a volume, e.g. `10Gi`. */
export const volumeSizeSchema = z.string().max(16).regex(VOLUME_SIZE, "is not a size such as 10Gi");
