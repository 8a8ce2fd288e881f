import { weighted } from "./random.ts";

export interface Customer {
  readonly name: string;
  readonly plan: "enterprise" | "pro" | "free";
  readonly region: "eu" | "us" | "apac";
  readonly weight: number;
}

const NAMES =
  "Northwind Airlines,Halcyon Bank,Brightwater Utilities,Orchard Grocers,Meridian Telecom,Kestrel Logistics,Saffron Hotels,Tundra Outdoor,Lumen Energy,Pinewood Insurance,Cobalt Motors,Harbor & Sons,Quill Publishing,Aster Clinics,Vireo Travel,Copperfield Tools,Délice Traiteur,Fjord Seafood,Garnet Retail,Ivory Dental,Juniper Schools,Kite Mobility,Larkspur Homes,Mosaic Museums,Nimbus Weather,Opal Cosmetics,Peregrine Courier,Quarry Stone,Rowan Legal,Sable Studios,Thistle Farms,Umber Coffee,Verdant Parks,Willow Care,Xenia Flowers,Yarrow Pharma,Zephyr Cycling,Łódź Print,山海茶房,O'Hara Dairy".split(
    ",",
  );
const REGIONS = ["eu", "us", "apac"] as const;

/** Few are large and many are small: the share falls with the rank. */
export const CUSTOMERS: readonly Customer[] = NAMES.map((name, rank) => ({
  name,
  plan: rank < 6 ? "enterprise" : rank < 24 ? "pro" : "free",
  region: REGIONS[(rank * 7) % 5 > 2 ? 1 : rank % 3] as Customer["region"],
  weight: 1 / (rank + 1) ** 1.15,
}));

export const drawCustomer = weighted(CUSTOMERS, ({ weight }) => weight);
