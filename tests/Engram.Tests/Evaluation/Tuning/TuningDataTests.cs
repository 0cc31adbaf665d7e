using Engram.Data;
using Engram.Evaluation;
using Engram.Evaluation.Tuning;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Tests.Evaluation.Tuning;

public class TuningDataTests
{
    private static readonly SubsetSource s_digits = SubsetSource.WithLabels(SubsetSource.Balanced(TestData.Mnist.Train, 30), Label.Numbers(0, 4));
    private static readonly Label[][] s_groups = [Label.Numbers(0, 2), Label.Numbers(2, 2)];

    [Fact]
    public void Validation_samples_are_set_aside_once_and_are_not_learnt()
    {
        var stream = ExperienceStream.ClassIncremental(s_digits, new EvaluationSet("test", s_digits), s_groups);
        var (data, again) = (new TuningData(stream.Experiences, 0.2, seed: 3), new TuningData(stream.Experiences, 0.2, seed: 3));
        for (var position = 0; position < data.Count; position++)
        {
            Assert.Equal((48, 12), (data[position].Train.Count, data[position].Validation!.Count));
            var learnt = Rows(data[position].Train).ToHashSet();
            Assert.DoesNotContain(Rows(data[position].Validation!), learnt.Contains);
            Assert.Equal(Rows(data[position].Validation!), Rows(again[position].Validation!));
        }
        Assert.Contains("validation", Assert.Throws<ArgumentException>(() => new TuningData(stream.Experiences, 1, 0)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10, "data_batch_1.bin", "test_batch.bin")]
    [InlineData(100, "train.bin", "test.bin")]
    public void The_training_half_of_Cifar_is_read_where_the_test_file_cannot_be_opened(int classes, string train, string test)
    {
        using var folder = new Persistence.TemporaryFolder();
        File.WriteAllBytes(folder[train], new byte[3072 + (classes == 10 ? 1 : 2)]);
        using var held = new FileStream(folder[test], FileMode.Create, FileAccess.Write, FileShare.None);
        Assert.Throws<IOException>(() => File.ReadAllBytes(folder[test]));

        Assert.Equal(1, Cifar.LoadTraining(folder.Path, classes).Count);
    }

    [Fact]
    public void A_trial_is_measured_on_validation_samples_and_learns_its_share()
    {
        var data = new TuningData(ExperienceStream.ClassIncremental(s_digits, new EvaluationSet("test", new EvaluationSetTests.OutOfReach(s_digits)), s_groups).Experiences, 0.2, seed: 3);
        var result = TrialRun.Measure(data, Description(), share: 0.5)!;
        Assert.Equal([24L, 24L], result.Costs.Select(cost => cost.Samples));
        Assert.Equal(24, result.Confusion.Sum(row => row.Sum())); // 12 and 12 validation samples
    }

    [Fact]
    public void An_online_stream_is_cut_after_its_validation_samples_were_set_aside()
    {
        var data = new TuningData(ExperienceStream.ClassIncremental(s_digits, new EvaluationSet("test", s_digits), s_groups).Experiences, 0.2, seed: 3, online: 10);
        var result = TrialRun.Measure(data, Description())!;
        Assert.Equal(2, result.Accuracy.Length);
        Assert.Equal(96, result.Costs.Sum(cost => cost.Samples));
    }

    internal static ExperimentDescription Description() => new()
    {
        Name = "test",
        Strategies = [new Strategy("naive", "Naive", "", _ => [])],
        Model = _ => new ContinualModel(new Mlp(784, 16)),
        Training = new LearnerOptions { BatchSize = 8 },
        Settings = new Dictionary<string, string>(),
    };

    private static IEnumerable<string> Rows(ISampleSource source)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        return [.. Enumerable.Range(0, source.Count).Select(i => Convert.ToHexString(source.Gather([i]).Inputs.data<byte>().ToArray()))];
    }
}
