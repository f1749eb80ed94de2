//! What can be refused in the catalog, and the permissions of its routes.

use kernel::{Code, Permission};

/// See products, categories and tax rates.
pub const CATALOG_READ: Permission = Permission::new("catalog:read");
/// Create, change and deactivate products.
pub const CATALOG_WRITE: Permission = Permission::new("catalog:write");
/// Import products from files.
pub const CATALOG_IMPORT: Permission = Permission::new("catalog:import");
/// Change tax rates.
pub const TAXES_WRITE: Permission = Permission::new("catalog:taxes");

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $title:literal, $help:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code::new(stringify!($name), $status, $title, $help);)*
    };
}

codes! {
    /// The product does not exist for this tenant.
    PRODUCT_NOT_FOUND = 404, "There is no such product.", "Check the id or SKU; it may belong to another merchant.";
    /// The import does not exist for this tenant.
    IMPORT_NOT_FOUND = 404, "There is no such import.", "Check the id.";
    /// The report of rejected rows is not there yet.
    REJECTS_NOT_READY = 409, "The import has not finished.", "Ask for the import until its status is done or failed.";
    /// The tenant has as many unfinished imports as it may have.
    TOO_MANY_IMPORTS = 409, "Too many imports of this merchant are unfinished.", "Wait until one of them is done or failed, then upload the file again.";
    /// Another product has the SKU.
    SKU_EXISTS = 409, "A product with this SKU exists.", "Update that product, or choose another SKU.";
    /// The SKU of a product never changes.
    SKU_IMMUTABLE = 409, "The SKU of a product cannot be changed.", "Create a product with the new SKU and deactivate this one.";
    /// A price in another currency than the tenant's.
    CURRENCY_MISMATCH = 422, "The currency is not the merchant's.", "Send prices in the currency of the tenant.";
    /// The product is not sold any more.
    PRODUCT_INACTIVE = 422, "The product is not sold any more.", "Activate the product (of a variant, also its parent), or sell another; of a product with options sell a variant.";
    /// The parent cannot have variants.
    PARENT_INVALID = 422, "The parent is no product that has variants.", "Name a product of your own that has options and is no variant itself.";
    /// The parent of a variant never changes.
    PARENT_IMMUTABLE = 409, "The parent of a product cannot be changed.", "Create another variant and deactivate this one.";
    /// The options say something twice.
    OPTIONS_INVALID = 422, "Two options have one name, or two values of one option are alike.", "Say each name and each value once.";
    /// The values are not those of the parent's options.
    OPTION_VALUES_INVALID = 422, "The values do not fit the options of the parent.", "Send one of its values for each option of the parent, and nothing else.";
    /// Another variant has the values.
    VARIANT_EXISTS = 409, "The parent has a variant with these values.", "Change that variant, or choose other values.";
    /// The parent has as many variants as it may have.
    TOO_MANY_VARIANTS = 409, "The parent has 500 variants.", "Make another parent for more.";
    /// The image does not exist for this product, or at all.
    IMAGE_NOT_FOUND = 404, "There is no such image.", "Take the address from the product; the image may have been removed.";
    /// The file is not taken as an image.
    IMAGE_INVALID = 422, "The file is no image that is taken.", "Send a JPEG, PNG or WebP of at most 10,000 pixels a side and 50 million in all.";
    /// The product has as many images as it may have.
    TOO_MANY_IMAGES = 409, "The product has 20 images, or too many uploads are unfinished.", "Remove an image, or try again later.";
    /// The images named are not those of the product.
    IMAGES_DIFFER = 422, "These are not the images of the product.", "Name all images of the product, each once.";
    /// Variants use what would go away.
    OPTIONS_IN_USE = 409, "Variants use an option or a value that would go away, or lack one that would come.", "Add values at will; change names and numbers of options before there are variants.";
    /// A tax category without rates.
    UNKNOWN_TAX_CATEGORY = 422, "The tax category is not known.", "Use a category of GET /tax-rates, or add it there first.";
    /// A barcode whose last digit is wrong.
    BARCODE_INVALID = 422, "The barcode's check digit is wrong.", "Scan it again; an EAN, UPC or GTIN ends with a check digit.";
    /// Two rates for the same time.
    TAX_PERIODS_OVERLAP = 422, "Two rates of one tax category are valid at the same time.", "End one period where the next begins.";
    /// Products still use the category.
    TAX_CATEGORY_IN_USE = 409, "Products use a tax category that would go away.", "Keep at least one rate for it, or change the products first.";
    /// A sort that needs a search.
    RELEVANCE_NEEDS_SEARCH = 422, "Only a search can be sorted by relevance.", "Add `search`, or choose another `sort`.";
    /// A range that holds nothing.
    PRICE_RANGE_EMPTY = 422, "The lowest price is above the highest.", "Send a minPrice of at most maxPrice.";
    /// The file cannot be a product file.
    IMPORT_FILE_REFUSED = 422, "The file is not a file of products.", "Send CSV (or gzip of it) with the columns sku, name and price.";
}

/// Every code of this domain, for the catalogue of errors.
pub const CODES: &[Code] = &[
    PRODUCT_NOT_FOUND,
    IMPORT_NOT_FOUND,
    REJECTS_NOT_READY,
    TOO_MANY_IMPORTS,
    SKU_EXISTS,
    SKU_IMMUTABLE,
    CURRENCY_MISMATCH,
    PRODUCT_INACTIVE,
    PARENT_INVALID,
    PARENT_IMMUTABLE,
    OPTIONS_INVALID,
    OPTION_VALUES_INVALID,
    VARIANT_EXISTS,
    TOO_MANY_VARIANTS,
    OPTIONS_IN_USE,
    IMAGE_NOT_FOUND,
    IMAGE_INVALID,
    TOO_MANY_IMAGES,
    IMAGES_DIFFER,
    UNKNOWN_TAX_CATEGORY,
    BARCODE_INVALID,
    TAX_PERIODS_OVERLAP,
    TAX_CATEGORY_IN_USE,
    RELEVANCE_NEEDS_SEARCH,
    PRICE_RANGE_EMPTY,
    IMPORT_FILE_REFUSED,
];
