using System.Reflection;
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

    /// <summary>The compiler keeps test samples away: from nothing that tuning takes can an evaluation set be reached.</summary>
    [Fact]
    public void Nothing_that_tunes_takes_test_samples()
    {
        Type[] tuning = [.. typeof(TuningData).Assembly.GetExportedTypes().Where(type => type.Namespace == typeof(TuningData).Namespace)];
        Assert.Contains(typeof(TuningData), tuning);
        Type[] hold = [typeof(EvaluationSet), typeof(ExperienceStream)];
        var taken = tuning.SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static)
                .Cast<MethodBase>().Concat(type.GetConstructors()))
            .SelectMany(member => member.GetParameters()).Select(parameter => parameter.ParameterType).ToArray();

        var reached = new HashSet<Type>();
        foreach (var type in taken) Reach(type, reached);

        Assert.Contains(typeof(Experience), reached); // the walk goes where it should
        Assert.Contains(typeof(LearnerOptions), reached);
        Assert.Empty(reached.Intersect(hold));
        // And the only door out of an evaluation set is shut: its samples are nobody's to take.
        Assert.DoesNotContain(typeof(EvaluationSet).GetProperties(), property => typeof(ISampleSource).IsAssignableFrom(property.PropertyType));
    }

    [Fact]
    public void Validation_samples_are_set_aside_once_and_are_not_learnt()
    {
        var stream = ExperienceStream.ClassIncremental(s_digits, s_digits, s_groups);
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

    [Fact]
    public void A_trial_is_measured_on_validation_samples_and_learns_its_share()
    {
        var data = new TuningData(ExperienceStream.ClassIncremental(s_digits, new OutOfReach(s_digits), s_groups).Experiences, 0.2, seed: 3);
        var result = TrialRun.Measure(data, Description(), share: 0.5)!;
        Assert.Equal([24L, 24L], result.Costs.Select(cost => cost.Samples));
        Assert.Equal(24, result.Confusion.Sum(row => row.Sum())); // 12 and 12 validation samples
    }

    [Fact]
    public void An_online_stream_is_cut_after_its_validation_samples_were_set_aside()
    {
        var data = new TuningData(ExperienceStream.ClassIncremental(s_digits, s_digits, s_groups).Experiences, 0.2, seed: 3, online: 10);
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

    private static void Reach(Type type, HashSet<Type> reached)
    {
        foreach (var part in type.IsGenericType ? type.GetGenericArguments() : type.HasElementType ? [type.GetElementType()!] : []) Reach(part, reached);
        if (type.Namespace?.StartsWith("Engram", StringComparison.Ordinal) != true || !reached.Add(type)) return;
        foreach (var property in type.GetProperties()) Reach(property.PropertyType, reached);
    }

    /// <summary>Test samples that must not be read.</summary>
    private sealed class OutOfReach(ISampleSource shape) : ISampleSource
    {
        public int Count => shape.Count;
        public IReadOnlyList<long> InputShape => shape.InputShape;
        public TorchSharp.torch.ScalarType InputType => shape.InputType;
        public TargetKind TargetKind => shape.TargetKind;
        public IReadOnlyList<Label> Labels => shape.Labels;
        public ReadOnlyMemory<int> Codes => shape.Codes;
        public Batch Gather(ReadOnlySpan<long> indices) => throw new InvalidOperationException("a test sample was read");
    }
}
