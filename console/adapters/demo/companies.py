"""Invented companies: numbers map one to one onto word pairs, so that no two share a slug and none is remembered."""

from dataclasses import dataclass

_FIRST = """
Amber Anchor Apex Arbor Aspen Atlas Aurora Axiom Azure Beacon Birch Blue Boreal Bramble Bright Brook Canopy Cedar
Cinder Clear Cobalt Compass Copper Coral Crest Crimson Crown Delta Drift Dune Eagle Ember Evergreen Falcon Fern Field
Flint Forge Foxglove Frost Garnet Gentle Glacier Golden Granite Grove Harbor Hazel Heron High Hollow Indigo Iron Ivory
Jade Juniper Keystone Kindle Lantern Larch Lark Laurel Lighthouse Lilac Linden Lumen Lunar Maple Marble Meadow Mercury
Meridian Mint Mosaic Moss Nimbus North Nova Oak Ocean Onyx Opal Orchard Otter Pacific Pebble Pine Pioneer Polar Prairie
Quartz Quill Raven Redwood Ridge River Rowan Saffron Sage Sapphire Sequoia Silver Slate Solar Sparrow Spruce Sterling
Summit Sunrise Swift Tandem Terra Thistle Tidal Timber Topaz Tundra Umber Union Vale Velvet Verdant Vista Walnut Willow
Winter Zenith Zephyr
"""
_SECOND = """
Analytics Apparel Bakery Bank Biotech Books Botanics Brewing Builders Capital Ceramics Clinics Cloud Coffee Commerce
Components Consulting Courier Dairy Data Dental Design Diagnostics Dynamics Education Electric Energy Engineering
Fabrics Farms Films Finance Fitness Foods Foundry Freight Furniture Games Gardens Genomics Glass Health Homes Hotels
Imaging Instruments Insurance Interiors Labs Lending Logistics Machines Marine Materials Media Medical Metals Mobility
Motors Museum Networks Optics Outfitters Packaging Papers Pharma Photonics Plastics Power Press Printing Properties
Radio Rail Recruiting Research Retail Robotics Satellite Schools Security Semiconductors Services Shipping Software
Solutions Sports Steel Storage Studio Supply Surveying Systems Telecom Textiles Theatre Tools Tours Toys Trading Transit
Travel Tutoring Ventures Veterinary Vineyards Water Wellness Works
"""
_FORMS = ("", " Ltd", " Inc.", " GmbH", " S.A.", " AB", " K.K.", " Pty", " B.V.", " LLC", " Oy", " S.r.l.")
FIRST = tuple(_FIRST.split())
SECOND = tuple(_SECOND.split())
PAIRS = len(FIRST) * len(SECOND)
_STRIDE = 4_999  # a prime that divides neither list, so that neighbours do not look alike

RTL_NAME = "شركة النور للتجارة \u2013 אור בע״מ"
LONG_NAME = "Vereinigte Nordfriesische Deichbau- und Fährgesellschaft mbH"
FORMULA_NAME = "=cmd|' /C calc'!A0"
SCRIPT_NAME = "<script>alert(1)</script> & Sons"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A name, its slug, and what makes it special; empty fields are drawn like everybody's."""

    name: str
    slug: str
    status: str = ""
    tier: str = ""
    region: str = ""
    plan: str = ""


ACME = Company(name="Acme Robotics", slug="acme-robotics", status="active", tier="shared", region="eu", plan="pro")
TRAPS: tuple[Company, ...] = (
    ACME,
    Company(name=RTL_NAME, slug="al-noor-or", status="active"),
    Company(name=LONG_NAME, slug="vereinigte-nordfriesische-deichbau-und-faehrgesellschaft"),
    Company(name="🦊 Foxglove & 🌿 Fern 👩\u200d🚀", slug="foxglove-fern"),
    Company(name="Northwind Trading", slug="northwind-trading", region="us", status="active"),
    Company(name="Northwind Trading", slug="northwind-trading-eu", region="eu", status="active"),
    Company(name="Meridian Freight", slug="meridian-freight", status="suspended"),
    Company(
        name="Keystone Bank", slug="keystone-bank", status="active", tier="dedicated", region="eu", plan="enterprise"
    ),
    Company(name="Bundeswasserwerke Süd", slug="bundeswasserwerke-sued", status="active", tier="regional", region="eu"),
    Company(name=FORMULA_NAME, slug="cmd-calc", status="active"),
    Company(name=SCRIPT_NAME, slug="script-sons", status="active"),
    Company(name="O'Brien & Daughters", slug="obrien-daughters", status="active"),
    Company(name="Robert'); DROP TABLE tenants;--", slug="little-bobby", status="active"),
    Company(name="{{7*191}} ${7*191} <%= 7*191 %>", slug="seven-templates", status="active"),
    Company(name="Ñandú Ökologie \u202eyretsym\u202c", slug="nandu-oekologie", status="active"),
    Company(name="株式会社さくら商事", slug="sakura-shoji", region="ap", status="active"),
    Company(name="Z", slug="z", status="trial"),
    Company(name="Tidal Ghost Cinema", slug="tidal-ghost-cinema", status="closed"),
)


def company(index: int) -> Company:
    """Return the company with a number: the traps first, then word pairs, then the pairs again with a numeral."""
    if index < len(TRAPS):
        return TRAPS[index]
    turn, place = divmod(index, PAIRS)
    first, second = divmod(place * _STRIDE % PAIRS, len(SECOND))
    form = _FORMS[(index * 7 + turn) % len(_FORMS)]
    base = f"{FIRST[first]}-{SECOND[second]}".lower()
    # A turn's numeral keeps slugs apart; the names of two turns are often the same, as they are in life.
    slug = f"{base}-{turn + 1}" if turn else f"{base}-co"
    return Company(name=f"{FIRST[first]} {SECOND[second]}{form}", slug=slug)
