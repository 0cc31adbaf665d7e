using System.IO.Compression;
using Engram.Client;
using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;
using Engram.Tests;

namespace Engram.Server.Tests.Engine;

/// <summary>Bundles that a run left behind, taken into service.</summary>
public sealed class ImportTests : ServiceTest
{
    private readonly string _model = Directory.CreateTempSubdirectory("engram-run-").FullName;

    public override async ValueTask DisposeAsync()
    {
        Directory.Delete(_model, recursive: true);
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task The_model_of_engram_run_digits_serves()
    {
        var learner = await Create(Network with { Model = new ModelSpecification { Kind = "network", Backbone = "digits-cnn", Strategy = "replay" } });
        LearnAsARunDoes(() => new DigitsCnn());

        var taken = await learner.ImportAsync(Zipped(), "ann", "trained offline", Token);

        Assert.True(taken.State == VersionState.Published, taken.Reason);
        Assert.Equal("import", taken.Trigger);
        Assert.Equal(["0", "1", "2"], taken.Labels);
        Assert.True(await Digits.AccuracyOf(learner, 0, 1, 2) > 0.9);
    }

    [Fact]
    public async Task A_model_that_was_trained_elsewhere_learns_on_and_keeps_what_it_knew()
    {
        var learner = await Create(Network);
        LearnAsARunDoes(() => new Mlp(784, 100));
        await learner.ImportAsync(Zipped(), "ann", null, Token);

        var next = await Teach(learner, 60, 3);

        Assert.True(next.State == VersionState.Published, next.Reason);
        Assert.Equal((2, 1), (next.Version, next.Parent));
        Assert.True(await Digits.AccuracyOf(learner, 0, 1, 2, 3) > 0.85);
    }

    [Fact]
    public async Task What_was_imported_stays_when_what_was_learnt_upon_it_is_deleted()
    {
        var learner = await Create(Network with { Gate = new GateSpecification { MaxAccuracyDrop = 1, MaxClassDrop = 1 } });
        LearnAsARunDoes(() => new Mlp(784, 100));
        await learner.ImportAsync(Zipped(), "ann", null, Token);
        await learner.AcceptAsync(OfAnn(5, 6), Token);
        await learner.LearnAsync("tester", null, Token);
        Assert.True(IsOnDisk(FirstPixelsOfAnn(5)));

        var deletion = await learner.DeleteSubjectAsync("ann", "tester", null);
        Assert.Null(await learner.LearnAsync("tester", null, Token)); // after what is being unlearnt

        Assert.Equal(("started", 2), (deletion.Unlearning, Assert.Single(deletion.HeldBy)));
        Assert.Equal(["unlearn", "import"], learner.Versions.Select(version => version.Trigger));
        Assert.Equal(["0", "1", "2"], learner.Versions[0].Labels);
        Assert.False(IsOnDisk(FirstPixelsOfAnn(5)));
        Assert.Equal("none", (await learner.DeleteSubjectAsync("ann", "tester", null)).Unlearning);
    }

    [Fact]
    public async Task A_model_of_another_kind_is_refused_in_words()
    {
        var learner = await Create(Network);
        LearnAsARunDoes(() => new Mlp(784, 50));

        var problem = await Assert.ThrowsAsync<InputException>(() => learner.ImportAsync(Zipped(), "ann", null, Token));

        Assert.Equal("bundle", problem.Field);
        Assert.DoesNotContain(Options.Folder, problem.Message, StringComparison.Ordinal);
        Assert.Empty(learner.Versions);
    }

    [Fact]
    public async Task A_model_that_went_astray_is_refused()
    {
        var learner = await Create(Network);
        LearnAsARunDoes(() => new Mlp(784, 100), astray: true);

        var problem = await Assert.ThrowsAsync<InputException>(() => learner.ImportAsync(Zipped(), "ann", null, Token));

        Assert.Contains("diverged", problem.Message, StringComparison.Ordinal);
        Assert.Empty(learner.Versions);
    }

    private void LearnAsARunDoes(Func<Backbone> backbone, bool astray = false)
    {
        using var run = new Learner(
            () => new ContinualModel(backbone()), new DigitsExperiment().Training with { BatchSize = 20 }, Strategies.Named("replay").Create(new StrategyBudget()));
        run.Learn(new Experience(0, SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Train, Label.Numbers(0, 2)), 100)));
        run.Learn(new Experience(1, SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Train, Label.Numbers(2, 1)), 100)));
        if (astray)
            foreach (var parameter in run.Context.Model.parameters()) parameter.detach().fill_(float.NaN);
        Bundle.Save(run, _model, new BundleInfo { Data = "digits" });
    }

    private MemoryStream Zipped()
    {
        var zip = new MemoryStream();
        ZipFile.CreateFromDirectory(_model, zip, CompressionLevel.Fastest, includeBaseDirectory: true);
        zip.Position = 0;
        return zip;
    }
}
