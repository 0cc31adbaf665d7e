using Engram.Evaluation;

namespace Engram.Cli.Experiments;

/// <summary>What is measured of an experiment beyond its test sets, and what its summary shows.</summary>
internal sealed record EvaluationSection
{
    /// <summary>Whether every experience is predicted before it is learnt; null for online streams only.</summary>
    public bool? Prequential { get; init; }

    /// <summary>Whether domain-incremental streams are tested one experience ahead.</summary>
    public bool ForwardTransfer { get; init; } = true;

    /// <summary>Which of <see cref="MetricNames.All"/> the summary shows, in order; null for the standard ones.</summary>
    public IReadOnlyList<string>? Metrics { get; init; }

    public void Check(YamlSection section)
    {
        if (Metrics is null) return;
        var nodes = section.List("metrics")!;
        if (nodes.Count == 0) throw section.Problem("metrics", "an empty list, expected one metric or more");
        for (var i = 0; i < nodes.Count; i++)
        {
            var at = section.PathOf($"metrics[{i}]");
            if (!MetricNames.All.Contains(Metrics[i]))
                throw section.Problem(nodes[i], $"{at}: \"{Metrics[i]}\", expected one of {string.Join(", ", MetricNames.All)}");
            if (Metrics.Take(i).Contains(Metrics[i])) throw section.Problem(nodes[i], $"{at}: \"{Metrics[i]}\" is there already, expected another metric");
        }
    }
}
