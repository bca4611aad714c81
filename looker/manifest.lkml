# Grid Assets for Looker. Dimensions are generated from the comments in the database; measures, explores and the
# dashboard are written by hand. The tests run every field, explore and panel against a real database.
project_name: "grid_assets"

# The name of the connection in Looker. Its user is grid_reader, or a login that is a member of it: docs/looker.md.
constant: connection {
  value: "grid_assets"
  export: override_optional
}
