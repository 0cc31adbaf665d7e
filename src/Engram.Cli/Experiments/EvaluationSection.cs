using Engram.Evaluation;

namespace Engram.Cli.Experiments;

/// <summary>What is measured of an experiment beyond its test sets, and what its summary shows.</summary>
internal sealed record EvaluationSection
{
    /// <summary>Whether every experience is predicted before it is learnt; null for online streams only.</summary>
    public bool? Prequential { get; init; }

    /// <summary>Samples after which accuracy is measured inside the groups of an online stream too; null for where groups end.</summary>
    public int? Every { get; init; }

    /// <summary>Whether domain-incremental streams are tested one experience ahead.</summary>
    public bool ForwardTransfer { get; init; } = true;

    /// <summary>Which of <see cref="MetricNames.All"/> the summary shows, in order; null for the standard ones.</summary>
    public IReadOnlyList<string>? Metrics { get; init; }

    public void Check(YamlSection section, StreamSection stream)
    {
        if (Every < 1) throw section.Problem("every", $"{Every}, expected 1 or more");
        // Whole experiences are tested when they are learnt; a key that would be passed over in silence is a mistake.
        if (Every is not null && stream.Online is null) throw section.Problem("every", $"{Every}, expected none without stream.online");
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
