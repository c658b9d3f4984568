// Draws the curves of a run as inline SVG.

#include "models/training/Report.h"

#include "models/training/Log.h"
#include "runtime/Files.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <vector>

namespace sluice::models {
namespace {

struct Point {
  double x, y;
};

/// A line of a chart; drawn as dots and a line if there are few points.
struct Series {
  std::string label, colour;
  std::vector<Point> points;
  double width = 1.5;
  bool dots = false;
};

struct Chart {
  std::string title, yLabel;
  std::vector<Series> series;
};

std::string format(const char *pattern, double value) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

std::string coordinate(double value) { return format("%.1f", value); }

std::string escaped(const std::string &text) {
  std::string result;
  for (char character : text)
    result += character == '<' ? "&lt;" : character == '&' ? "&amp;" : std::string(1, character);
  return result;
}

/// 1, 2 or 5 times a power of ten, so that about `count` of them cover `range`.
double tickStep(double range, int count) {
  double raw = range / count, power = std::pow(10, std::floor(std::log10(raw)));
  double digit = raw / power;
  return power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10);
}

/// Maps data to the picture.
class Axes {
public:
  static constexpr double width = 760, height = 300, left = 64, right = 16, top = 34, bottom = 44;

  explicit Axes(const Chart &chart) {
    bool first = true;
    for (const Series &series : chart.series)
      for (const Point &point : series.points) {
        if (!std::isfinite(point.y))
          continue;
        lowX = first ? point.x : std::min(lowX, point.x);
        highX = first ? point.x : std::max(highX, point.x);
        lowY = first ? point.y : std::min(lowY, point.y);
        highY = first ? point.y : std::max(highY, point.y);
        first = false;
      }
    if (highX <= lowX)
      highX = lowX + 1;
    double margin = highY > lowY ? 0.05 * (highY - lowY) : std::max(std::abs(highY) * 0.1, 1e-6);
    lowY = lowY >= 0 && lowY < margin ? 0 : lowY - margin;
    highY += margin;
  }

  double x(double value) const { return left + (value - lowX) / (highX - lowX) * (width - left - right); }
  double y(double value) const {
    return height - bottom - (value - lowY) / (highY - lowY) * (height - top - bottom);
  }

  std::string draw(const Chart &chart) const {
    std::string svg;
    double step = tickStep(highY - lowY, 5);
    for (double tick = std::ceil(lowY / step) * step; tick <= highY; tick += step) {
      std::string at = coordinate(y(tick));
      svg += "<line class='grid' x1='" + coordinate(left) + "' x2='" + coordinate(width - right) + "' y1='" +
             at + "' y2='" + at + "'/><text class='tick' text-anchor='end' x='" + coordinate(left - 8) +
             "' y='" + coordinate(y(tick) + 4) + "'>" + format("%.4g", std::abs(tick) < step / 2 ? 0 : tick) +
             "</text>\n";
    }
    step = std::max(1.0, tickStep(highX - lowX, 8));
    for (double tick = std::ceil(lowX / step) * step; tick <= highX; tick += step)
      svg += "<text class='tick' text-anchor='middle' x='" + coordinate(x(tick)) + "' y='" +
             coordinate(height - bottom + 18) + "'>" + format("%.6g", tick) + "</text>\n";
    svg += "<line class='axis' x1='" + coordinate(left) + "' x2='" + coordinate(width - right) + "' y1='" +
           coordinate(height - bottom) + "' y2='" + coordinate(height - bottom) + "'/>\n";
    svg += "<text class='label' text-anchor='middle' x='" + coordinate((left + width - right) / 2) + "' y='" +
           coordinate(height - 8) + "'>optimizer step</text>\n<text class='label' text-anchor='middle' " +
           "transform='translate(14 " + coordinate((top + height - bottom) / 2) + ") rotate(-90)'>" +
           escaped(chart.yLabel) + "</text>\n";
    return svg;
  }

private:
  double lowX = 0, highX = 1, lowY = 0, highY = 1;
};

std::string drawSeries(const Series &series, const Axes &axes) {
  std::string path, dots;
  bool started = false;
  for (const Point &point : series.points) {
    if (!std::isfinite(point.y)) {
      started = false;
      continue;
    }
    std::string x = coordinate(axes.x(point.x)), y = coordinate(axes.y(point.y));
    path += (started ? " L" : " M") + x + " " + y;
    started = true;
    if (series.dots)
      dots += "<circle cx='" + x + "' cy='" + y + "' r='4' fill='" + series.colour + "'><title>step " +
              format("%.0f", point.x) + ": " + format("%.4f", point.y) + "</title></circle>\n";
  }
  return "<path fill='none' stroke='" + series.colour + "' stroke-width='" + format("%.1f", series.width) +
         "' stroke-linejoin='round' d='" + path + "'/>\n" + dots;
}

std::string drawChart(const Chart &chart) {
  Axes axes(chart);
  std::string svg = "<svg viewBox='0 0 " + format("%.0f", Axes::width) + " " + format("%.0f", Axes::height) +
                    "' role='img' aria-label='" + escaped(chart.title) + "'>\n<text class='title' x='" +
                    coordinate(Axes::left) + "' y='18'>" + escaped(chart.title) + "</text>\n" +
                    axes.draw(chart);
  double legend = Axes::width - Axes::right;
  for (auto series = chart.series.rbegin(); series != chart.series.rend(); ++series) {
    svg += "<text class='label' text-anchor='end' x='" + coordinate(legend) +
           "' y='18' style='fill:" + series->colour + "'>" + escaped(series->label) + "</text>\n";
    legend -= 8.0 * static_cast<double>(series->label.size()) + 16;
  }
  for (const Series &series : chart.series)
    svg += drawSeries(series, axes);
  return svg + "</svg>\n";
}

/// The mean of the last so many values: what the noise of single batches hides.
std::vector<Point> smoothed(const std::vector<Point> &points) {
  std::vector<Point> result;
  size_t window = std::max<size_t>(1, points.size() / 40);
  double sum = 0;
  for (size_t index = 0; index < points.size(); ++index) {
    sum += points[index].y;
    if (index >= window)
      sum -= points[index - window].y;
    result.push_back({points[index].x, sum / static_cast<double>(std::min(index + 1, window))});
  }
  return result;
}

/// At most about 1500 points, each the mean of its neighbours, so that the page of a long run stays small.
std::vector<Point> curve(const std::vector<StepMetrics> &metrics, double StepMetrics::*value) {
  size_t stride = metrics.size() / 1500 + 1;
  std::vector<Point> points;
  for (size_t start = 0; start < metrics.size(); start += stride) {
    size_t end = std::min(start + stride, metrics.size());
    double sum = 0;
    for (size_t index = start; index < end; ++index)
      sum += metrics[index].*value;
    points.push_back({static_cast<double>(metrics[end - 1].step), sum / static_cast<double>(end - start)});
  }
  return points;
}

std::string row(const std::string &name, const std::string &value) {
  return "<tr><th>" + name + "</th><td>" + value + "</td></tr>\n";
}

std::string table(const std::vector<StepMetrics> &metrics, const std::vector<HeldOutMetrics> &heldOut) {
  std::string rows;
  if (!metrics.empty()) {
    rows += row("steps", std::to_string(metrics.back().step));
    rows += row("last loss", format("%.4f nats per token", metrics.back().loss));
    double rate = 0;
    for (const StepMetrics &step : metrics)
      rate += step.tokensPerSecond;
    rows += row("mean speed", format("%.0f tokens/s", rate / static_cast<double>(metrics.size())));
  }
  for (const HeldOutMetrics &entry : heldOut)
    rows +=
        row("held out at step " + std::to_string(entry.step),
            format("%.4f bits per byte, ", entry.bitsPerByte) + format("perplexity %.2f", entry.perplexity));
  return "<table>\n" + rows + "</table>\n";
}

constexpr const char *head = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>sluice training report</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 800px; margin: 2em auto; padding: 0 1em;
       color: #1f2933; background: #fff; }
h1 { font-size: 1.4em; }
svg { width: 100%; margin: .6em 0; }
svg text { font: 12px system-ui, sans-serif; fill: #52606d; }
svg .title { font-weight: 600; font-size: 14px; fill: #1f2933; }
.grid { stroke: #e4e7eb; } .axis { stroke: #7b8794; }
th { text-align: left; padding-right: 1.5em; font-weight: 500; color: #52606d; }
pre { background: #f5f7fa; padding: 1em; overflow-x: auto; font-size: 13px; }
</style></head><body>
<h1>sluice training report</h1>
)";

} // namespace

void writeReport(const std::string &run) {
  std::vector<StepMetrics> metrics = readMetrics(run);
  std::vector<HeldOutMetrics> heldOut = readEvaluations(run);
  std::string page = head + table(metrics, heldOut);
  if (!metrics.empty()) {
    std::vector<Point> loss = curve(metrics, &StepMetrics::loss);
    page += drawChart(
        {"Training loss",
         "nats per token",
         {{"each batch", "#9fb3c8", loss, 1, false}, {"moving mean", "#0967d2", smoothed(loss), 2, false}}});
  }
  if (!heldOut.empty()) {
    std::vector<Point> points;
    for (const HeldOutMetrics &entry : heldOut)
      points.push_back({static_cast<double>(entry.step), entry.bitsPerByte});
    page += drawChart({"Held-out documents", "bits per byte", {{"", "#c1292e", points, 2, true}}});
  }
  if (!metrics.empty()) {
    page += drawChart({"Gradient norm before clipping",
                       "norm",
                       {{"", "#7b5ea7", curve(metrics, &StepMetrics::gradientNorm), 1, false}}});
    page += drawChart({"Learning rate",
                       "learning rate",
                       {{"", "#2f855a", curve(metrics, &StepMetrics::learningRate), 2, false}}});
  }
  std::string config = run + "/config.toml";
  if (std::filesystem::exists(config))
    page +=
        "<details><summary>Configuration</summary><pre>" + escaped(readFile(config)) + "</pre></details>\n";
  writeFile(run + "/report.html", page + "</body></html>\n");
}

} // namespace sluice::models
