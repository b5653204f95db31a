# A linear model in plain R, no package needed. Two ways to record it:
#   runfolio record --experiment cars -- Rscript train.R     (lines, while it runs)
#   Rscript train.R SPOOL; runfolio collect SPOOL            (a folder, taken in later; no runfolio on this machine)
started <- as.numeric(Sys.time())
fit <- lm(dist ~ speed, data = cars)
metrics <- c(rmse = sqrt(mean(residuals(fit)^2)), r2 = summary(fit)$r.squared)
steps <- cumsum(abs(residuals(fit)))

number <- function(x) if (is.finite(x)) sprintf("%.17g", x) else sprintf('"%s"', format(x))   # JSON knows no NaN, Inf, NA
object <- function(names, values) paste0("{", paste0('"', names, '": ', values, collapse = ", "), "}")
milliseconds <- function(at) sprintf("%.0f", at * 1000)

lines <- Sys.getenv("RUNFOLIO_LINES")
spool <- commandArgs(trailingOnly = TRUE)
if (nzchar(lines)) {
  say <- function(...) cat(..., "\n", sep = "", file = lines, append = TRUE)
  say("param formula dist ~ speed")
  for (i in seq_along(steps)) say("metric loss ", sprintf("%.17g", steps[i]), " ", i)
  for (name in names(metrics)) say("metric ", name, " ", sprintf("%.17g", metrics[[name]]))
} else if (length(spool)) {
  folder <- file.path(spool[1], paste0("cars-", milliseconds(started), "-", Sys.getpid()))
  dir.create(file.path(folder, "artifacts"), recursive = TRUE)
  writeLines(capture.output(summary(fit)), file.path(folder, "artifacts", "summary.txt"))
  cat(sprintf('{"metric": "loss", "value": %s, "step": %d}\n', vapply(steps, number, ""), seq_along(steps)),
      sep = "", file = file.path(folder, "metrics.jsonl"))
  run <- object(
    c("experiment", "start", "end", "status", "params", "metrics", "tags"),
    c('"cars"', milliseconds(started), milliseconds(as.numeric(Sys.time())), '"FINISHED"',
      object(c("formula", "n"), c('"dist ~ speed"', nrow(cars))),
      object(c(names(metrics), "sigma0"), c(vapply(metrics, number, ""), number(NaN))),
      object("language", '"R"')))
  # run.json comes last, and all at once: a folder without it is unfinished.
  writeLines(run, file.path(folder, "run.json.tmp"))
  invisible(file.rename(file.path(folder, "run.json.tmp"), file.path(folder, "run.json")))
}
cat("rmse", metrics[["rmse"]], "r2", metrics[["r2"]], "\n")
