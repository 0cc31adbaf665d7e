using System.Text.Json.Nodes;
using Engram.Data;
using Engram.Learning;
using Engram.Persistence;
using Engram.Retention;
using static TorchSharp.torch;

namespace Engram.Tests.Persistence;

/// <summary>What a bundle predicts without the code that trained it.</summary>
public class PredictingTests
{
    public static TheoryData<string, Scenario> All =>
        [.. Strategies.All.SelectMany(strategy => strategy.Scenarios.Select(scenario => (strategy.Name, scenario)))];

    [Theory]
    [MemberData(nameof(All))]
    public void Every_strategy_predicts_from_its_bundle_alone_as_its_learner_does_bit_by_bit(string strategy, Scenario scenario)
    {
        using var folder = new TemporaryFolder();
        var (model, options, stream) = LearnerCases.For(strategy, scenario);
        using var learner = LearnerCases.New(strategy, model, options);
        learner.Teach(stream[0]);
        learner.Teach(stream[1]);
        var predicts = Bundle.Save(learner, folder["bundle"]).Mechanisms.Any(mechanism => mechanism.Predicts);
        using var scope = NewDisposeScope();
        var inputs = Inputs();
        using var loaded = predicts ? null : Bundle.LoadModel(folder["bundle"]);
        using var predictor = Bundle.LoadToPredict(folder["bundle"]);
        foreach (var task in scenario == Scenario.TaskIncremental ? new int?[] { 0, 1 } : [null])
        {
            var expected = learner.Scores(inputs, task).data<float>().ToArray();
            Assert.Equal(expected, predictor.Scores(inputs, task).data<float>().ToArray());
            using var prediction = loaded?.Predict(inputs, task);
            if (prediction is not null) Assert.Equal(expected, prediction.Scores.data<float>().ToArray());
        }
        Assert.Contains("was loaded to predict", Assert.Throws<InvalidOperationException>(() => predictor.Teach(stream[2])).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => Bundle.Save(predictor, folder["again"]));
        Assert.False(Directory.Exists(folder["again"]));
    }

    public static TheoryData<string> Deciding => ["knn", "xdg", "threshold", "tau", "generative"];

    // Each decides otherwise than its defaults would.
    private static (RetentionMechanism Mechanism, string Strategy) Made(string name, bool otherwise) => name switch
    {
        "knn" => (new NearestNeighbours(new NeighbourOptions { Capacity = 40, K = otherwise ? 5 : 1 }), "knn"),
        "xdg" => (new ContextDependentGating(new XdgOptions { GatedFraction = otherwise ? 0.8 : 0.3 }), "xdg"),
        "threshold" => (new ThresholdMoving(new ThresholdMovingOptions { Expected = new Dictionary<Label, double> { [otherwise ? 4 : 3] = 5 } }), "naive"),
        "tau" => (new LogitAdjustment(new LogitAdjustmentOptions { PostHoc = true, Tau = otherwise ? 1 : 3 }), "naive"),
        _ => (new GenerativeClassifier(new GenerativeClassifierOptions
        { Vae = new VaeOptions { Widths = [16], LatentSize = 3 }, ImportanceSamples = otherwise ? 50 : 7 }), "generative-classifier"),
    };

    [Theory]
    [MemberData(nameof(Deciding))]
    public void Options_that_decide_predictions_are_kept_and_other_ones_are_refused_on_restoring(string name)
    {
        using var folder = new TemporaryFolder();
        var (mechanism, strategy) = Made(name, otherwise: false);
        var (model, options, stream) = LearnerCases.For(strategy);
        using var learner = new Learner(model, options, [mechanism]);
        learner.Teach(stream[0]);
        var manifest = Bundle.Save(learner, folder["bundle"]);
        using var predictor = Bundle.LoadToPredict(folder["bundle"]);
        using var scope = NewDisposeScope();
        int? task = options.Scenario == Scenario.TaskIncremental ? 0 : null;
        Assert.Equal(learner.Scores(Inputs(), task).data<float>().ToArray(), predictor.Scores(Inputs(), task).data<float>().ToArray());

        using var other = new Learner(model, options, [Made(name, otherwise: true).Mechanism]);
        var problem = Assert.Throws<InvalidDataException>(() => Bundle.Restore(other, folder["bundle"]));
        Assert.Matches($"option \\w+ of {mechanism.Name}: .*, expected .* as in this learner", problem.Message);
        Assert.True(other.IsFresh);
        Bundle.Restore(other, folder["bundle"], otherOptions: true);

        // As an older Engram wrote it.
        SealedManifest.Change(folder["bundle"], folder["bundle"], json => json["mechanisms"]![0]!["values"]!.AsObject().Remove("options"));
        Assert.Contains($"mechanism {mechanism.Name}", Assert.Throws<InvalidDataException>(() => Bundle.LoadToPredict(folder["bundle"])).Message, StringComparison.Ordinal);
        using var again = new Learner(model, options, [Made(name, otherwise: false).Mechanism]);
        Bundle.Restore(again, folder["bundle"]);
        Assert.Equal(manifest.Classes.Count, again.Classes.Count);
    }

    [Theory]
    [InlineData("icarl")]
    [InlineData("bic")]
    [InlineData("packnet")]
    [InlineData("progressive")]
    public void Mechanisms_that_predict_by_their_state_alone_do_so_from_bundles_of_an_older_Engram(string strategy)
    {
        using var folder = new TemporaryFolder();
        var (model, options, stream) = LearnerCases.For(strategy);
        using var learner = LearnerCases.New(strategy, model, options);
        learner.Teach(stream[0]);
        learner.Teach(stream[1]);
        Bundle.Save(learner, folder["bundle"]);
        SealedManifest.Change(folder["bundle"], folder["bundle"], json => json["mechanisms"]![0]!["values"]!.AsObject().Remove("options"));
        using var predictor = Bundle.LoadToPredict(folder["bundle"]);
        using var scope = NewDisposeScope();
        int? task = options.Scenario == Scenario.TaskIncremental ? 1 : null;
        Assert.Equal(learner.Scores(Inputs(), task).data<float>().ToArray(), predictor.Scores(Inputs(), task).data<float>().ToArray());
    }

    [Theory]
    [InlineData("generative-classifier", """{"vae":{"widths":[100000]}}""")]
    [InlineData("generative-classifier", """{"vae":{"latentSize":100000}}""")]
    [InlineData("generative-classifier", """{"importanceSamples":1000000}""")]
    [InlineData("generative-classifier", """{"likelihood":"7"}""")]
    [InlineData("knn", """{"k":-1}""")]
    [InlineData("knn", """{"more":1}""")]
    [InlineData("ranpac", """{"learnerOptions":{"balance":"7"}}""")]
    [InlineData("ranpac", """{"learner":"own"}""")]
    [InlineData("ranpac", """{"extractor":"raw","extractorOptions":{"inputs":100000}}""")]
    [InlineData("ranpac", """{"extractor":"backbone","extractorOptions":{"architecture":"resnet18-64"}}""")]
    [InlineData("slda", """{"extractorOptions":{"inputs":100000}}""")]
    public void Options_of_an_ill_wisher_are_refused(string strategy, string change)
    {
        using var folder = new TemporaryFolder();
        var (model, options, stream) = LearnerCases.For(strategy);
        using (var learner = LearnerCases.New(strategy, model, options))
        {
            learner.Teach(stream[0]);
            Bundle.Save(learner, folder["bundle"]);
        }
        SealedManifest.Change(folder["bundle"], folder["bundle"], json => SealedManifest.Merge(
            json["mechanisms"]![0]!["values"]!["options"]!.AsObject(), JsonNode.Parse(change)!.AsObject()));
        Assert.Throws<InvalidDataException>(() => Bundle.LoadToPredict(folder["bundle"]));
    }

    private static Tensor Inputs() => TestData.Mnist.Test.Inputs([.. Enumerable.Range(0, 12).Select(i => (long)i)]);
}
