# The fuels of the last 24 hours, with the fields of generation_mix.
include: "/views/generation_mix.view.lkml"

view: generation_mix_24h {
  extends: [generation_mix]
  sql_table_name: reporting.generation_mix_24h ;;
}
