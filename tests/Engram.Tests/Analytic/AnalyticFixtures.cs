using Engram.Analytic;
using Engram.Data;
using Engram.Models;
using Engram.Streams;
using Engram.Tests.Persistence;
using static TorchSharp.torch;

namespace Engram.Tests.Analytic;

/// <summary>
/// A bundle of every kind of analytic learner and of every kind of extractor, of every version of the format, kept in the
/// repository beside the scores that it gave when it was written.
/// </summary>
internal static class AnalyticFixtures
{
    public static readonly string[] Names = ["ncm", "slda", "ridge", "recursive-ridge", "fecam"];

    public static string PathOf(int version, string name) => Path.Combine(VersionFixtures.Folder, $"analytic-v{version}", name);

    public static string ScoresOf(int version, string name) =>
        Path.Combine(VersionFixtures.Folder, $"analytic-v{version}", $"{name}.scores.json");

    public static AnalyticLearner New(string name) => name switch
    {
        "ncm" => new NearestClassMean(new PatchFeatures(Experience(0).Train, new PatchOptions { Filters = 3, Side = 2, Grid = 1 })),
        "slda" => new StreamingLda(new RandomFeatures(6, 5), 1e-2, new InputScaling(0.5, 2), ClassPrior.Counts),
        "ridge" => new RidgeClassifier(BackboneOf(new Mlp(6, 4)), 2, balance: ClassBalance.Pooled),
        "recursive-ridge" => new RecursiveRidge(new RandomFeatures(6, 5, RandomActivation.Fourier, 0.5), 2) { BlockSize = 5 },
        "fecam" => new FeCam(new RawFeatures(6), new FeCamOptions { Gamma1 = 5 }),
        _ => throw new ArgumentException($"name: {name}, expected one of {string.Join(", ", Names)}"),
    };

    /// <summary>The learner as it was saved: two experiences learnt, its head solved.</summary>
    public static AnalyticLearner Taught(string name)
    {
        using var scope = NewDisposeScope();
        var learner = New(name);
        learner.Learn(Experience(0));
        learner.Learn(Experience(1));
        learner.Scores(Probe());
        return learner;
    }

    /// <summary>Twelve images of 2 by 3 bytes, three labels.</summary>
    public static Experience Experience(int index) => new(index, TensorSource.OfClasses(
        Bytes(12, index), [.. Enumerable.Range(0, 12).Select(i => (Label)((2 * index) + (i % 3)))]));

    public static Tensor Probe() => Bytes(5, 9);

    public static float[] Scores(AnalyticLearner learner)
    {
        using var scope = NewDisposeScope();
        return learner.Scores(Probe()).data<float>().ToArray();
    }

    private static BackboneFeatures BackboneOf(Backbone backbone)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        foreach (var parameter in backbone.parameters())
            parameter.copy_(arange(parameter.numel()).mul(0.7).sin().view(parameter.shape));
        return new BackboneFeatures(backbone);
    }

    private static Tensor Bytes(int count, int seed) =>
        tensor(Enumerable.Range(0, 6 * count).Select(i => (byte)((i * 37) + (i * i % 11 * 13) + (seed * 101))).ToArray(), [count, 1, 2, 3]);
}
