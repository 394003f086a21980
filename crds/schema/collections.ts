import * as z from "zod";

/*
 * Lists and maps with the keywords that server-side apply and the CEL cost budget need. The apiserver enforces the keywords;
 * the refinements beside them let zod say the same.
 */

/** A list without duplicates, merged item by item. */
export function uniqueList<S extends z.ZodType<string>>(item: S, maxItems: number): z.ZodArray<S> {
  return z
    .array(item)
    .max(maxItems)
    .refine((items) => new Set(items).size === items.length, { message: "has duplicates" })
    .meta({ "x-kubernetes-list-type": "set" });
}

/** A list of objects that one string field identifies; merged by that field. */
export function keyedList<S extends z.ZodObject>(item: S, key: string, maxItems: number): z.ZodArray<S> {
  return z
    .array(item)
    .max(maxItems)
    .refine((items) => new Set(items.map((entry) => (entry as Record<string, unknown>)[key])).size === items.length, {
      message: `has two items with the same ${key}`,
    })
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key] });
}

/** A list that is replaced as a whole. */
export function atomicList<S extends z.ZodType>(item: S, maxItems: number): z.ZodArray<S> {
  return z.array(item).max(maxItems).meta({ "x-kubernetes-list-type": "atomic" });
}

/** A map from strings to `value`. */
export function dictionary<S extends z.ZodType>(value: S, maxProperties: number): z.ZodRecord<z.ZodString, S> {
  return z
    .record(z.string(), value)
    .refine((entries) => Object.keys(entries).length <= maxProperties, {
      message: `has more than ${maxProperties} keys`,
    })
    .meta({ maxProperties });
}

/** An object whose content is not ours to describe. The apiserver keeps it as it is. */
export function openObject(maxProperties: number): z.ZodObject<Record<never, never>, z.core.$loose> {
  return z
    .looseObject({})
    .refine((entries) => Object.keys(entries).length <= maxProperties, {
      message: `has more than ${maxProperties} keys`,
    })
    .meta({ maxProperties });
}
