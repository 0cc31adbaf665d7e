using Engram.Data;
using Engram.Evaluation.Benchmarks;

namespace Engram.Cli.Experiments;

/// <summary>Which samples an experiment learns and is tested with.</summary>
internal sealed record DataSection
{
    /// <summary>The data set: one of <see cref="DataSets.Names"/>.</summary>
    public string Source { get; init; } = "mnist";

    /// <summary>Where it is; null finds it here or above.</summary>
    public string? Path { get; init; }

    /// <summary>Training samples of each class; null for all.</summary>
    public int? PerClass { get; init; }

    /// <summary>Test samples of each class; null for all.</summary>
    public int? TestPerClass { get; init; }

    public void Check(YamlSection section)
    {
        if (!DataSets.Names.Contains(Source))
            throw section.Problem("source", $"\"{Source}\", expected one of {string.Join(", ", DataSets.Names)}");
        if (PerClass < 1) throw section.Problem("perClass", $"{PerClass}, expected 1 or more");
        if (TestPerClass < 1) throw section.Problem("testPerClass", $"{TestPerClass}, expected 1 or more");
    }

    /// <summary>The training samples alone: no test sample is read.</summary>
    public ISampleSource LoadTraining(string path)
    {
        var all = DataSets.LoadTraining(Source, path);
        return PerClass is { } few ? SubsetSource.Balanced(all, few) : all;
    }

    public TrainAndTest Load(string path)
    {
        var all = DataSets.Load(Source, path);
        return new TrainAndTest(
            PerClass is { } few ? SubsetSource.Balanced(all.Train, few) : all.Train,
            TestPerClass is { } test ? all.Test.Balanced(test) : all.Test);
    }
}
