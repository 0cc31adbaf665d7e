using CsCheck;
using Engram.Data;
using TorchSharp;

namespace Engram.Tests.Data;

public class SourceTests
{
    private static TensorSource Four() =>
        TensorSource.OfClasses(torch.arange(8, torch.ScalarType.Float32).view(4, 2), ["cat", "dog", "cat", "owl"]);

    [Fact]
    public void A_subset_renumbers_the_labels_that_occur_in_it()
    {
        using var scope = torch.NewDisposeScope();
        var subset = new SubsetSource(Four(), [3, 1]);
        Assert.Equal(["dog", "owl"], subset.Labels);
        Assert.Equal([1, 0], subset.Codes.ToArray());
        var batch = subset.Gather([1, 0, 1]);
        Assert.Equal([0L, 1, 0], batch.Targets.data<long>().ToArray());
        Assert.Equal([2f, 3, 6, 7, 2, 3], batch.Inputs.data<float>().ToArray());
    }

    [Fact]
    public void Joined_sources_merge_their_labels_and_keep_the_order_asked_for()
    {
        using var scope = torch.NewDisposeScope();
        var joined = new ConcatSource(new SubsetSource(Four(), [0, 1]), new SubsetSource(Four(), [2, 3]));
        Assert.Equal(["cat", "dog", "owl"], joined.Labels);
        Assert.Equal([0, 1, 0, 2], joined.Codes.ToArray());
        var batch = joined.Gather([3, 0, 2, 1]);
        Assert.Equal([2L, 0, 0, 1], batch.Targets.data<long>().ToArray());
        Assert.Equal([6f, 0, 4, 2], batch.Inputs.select(1, 0).data<float>().ToArray());
    }

    [Fact]
    public void Samples_of_several_tasks_keep_the_labels_of_each_apart_through_every_view()
    {
        using var scope = torch.NewDisposeScope();
        ISampleSource joined = new ConcatSource(new TaskSource(Four(), 0), new TaskSource(new SubsetSource(Four(), [1, 3]), 7));
        Assert.Equal(["cat", "dog", "owl", "dog", "owl"], joined.Labels);
        Assert.Equal([0, 0, 0, 7, 7], joined.LabelTasks);
        Assert.Equal([0, 1, 0, 2, 3, 4], joined.Codes.ToArray());
        Assert.Equal([4L, 1], joined.Gather([5, 1]).Targets.data<long>().ToArray());
        ISampleSource some = new SubsetSource(joined, [5, 1]);
        Assert.Equal(["dog", "owl"], some.Labels);
        Assert.Equal([0, 7], some.LabelTasks);
        ISampleSource renamed = new RelabelledSource(new TransformedSource(joined, inputs => inputs), _ => "animal");
        Assert.Equal(["animal", "animal"], renamed.Labels);
        Assert.Equal([0, 7], renamed.LabelTasks);
        Assert.Equal([0, 0, 0, 0, 1, 1], renamed.Codes.ToArray());
        Refused("some tell their tasks", () => new ConcatSource(new TaskSource(Four(), 0), Four()));
        Refused("tells its tasks already", () => new TaskSource(joined, 1));
        Refused("task: -1", () => new TaskSource(Four(), -1));
        Refused("taskId: 3 beside samples", () => new Engram.Streams.Experience(0, joined, 3));
    }

    [Fact]
    public void Joined_values_leave_unknown_what_a_part_does_not_tell()
    {
        using var scope = torch.NewDisposeScope();
        TensorSource Of(string label, float value) => TensorSource.OfValues(
            torch.zeros(1, 2), torch.full(1, 1, value), [label], TargetKind.Regression);
        var joined = new ConcatSource(Of("length", 3), Of("weight", 5));
        Assert.Equal(["length", "weight"], joined.Labels);
        Assert.Equal([float.NaN, 5, 3, float.NaN], joined.Gather([1, 0]).Targets.data<float>().ToArray());
    }

    [Fact]
    public void Any_subset_gathers_what_its_parent_holds() => Gen.Int[0, 3].Array[1, 12].Sample(indices =>
    {
        using var scope = torch.NewDisposeScope();
        var (parent, subset) = (Four(), new SubsetSource(Four(), indices));
        var order = Enumerable.Range(0, indices.Length).Select(i => (long)i).Reverse().ToArray();
        var batch = subset.Gather(order);
        for (var row = 0; row < order.Length; row++)
        {
            var source = indices[order[row]];
            Assert.Equal(parent.Labels[parent.Codes.Span[source]], subset.Labels[(int)batch.Targets[row].item<long>()]);
            Assert.Equal(2f * source, batch.Inputs[row, 0].item<float>());
        }
    }, iter: 200);

    [Fact]
    public void Bad_tensors_are_refused_with_name_value_and_expectation()
    {
        using var scope = torch.NewDisposeScope();
        Refused("inputs: Float64", () => TensorSource.OfClasses(torch.zeros(1, 2, torch.ScalarType.Float64), ["a"]));
        Refused("inputs: shape [3]", () => TensorSource.OfClasses(torch.zeros(3), ["a"]));
        Refused("NaN", () => TensorSource.OfClasses(torch.full(1, 2, float.NaN), ["a"]));
        Refused("targets: 2 for 1", () => TensorSource.OfClasses(torch.zeros(1, 2), ["a", "b"]));
        Refused("codes: 2", () => TensorSource.OfClasses(torch.zeros(1, 2), [2], ["a", "b"]));
        Refused("labels", () => TensorSource.OfClasses(torch.zeros(1, 2), [0], ["a", "a"]));
        Refused("indices: 9", () => new SubsetSource(Four(), [9]));
    }

    [Fact]
    public void Seeded_numbers_are_uniform_and_restart_from_saved_state()
    {
        var random = new SeededRandom(7, "test");
        var counts = new int[10];
        for (var i = 0; i < 100_000; i++) counts[random.Next(10)]++;
        // χ² with 9 degrees of freedom: 27.9 is exceeded once in a thousand.
        Assert.True(counts.Sum(count => Math.Pow(count - 10_000, 2) / 10_000) < 27.9);

        var state = random.State;
        var next = random.NextBits();
        Assert.Equal(next, new SeededRandom(8, "other") { State = state }.NextBits());
        Assert.NotEqual(next, new SeededRandom(7, "another purpose").NextBits());
        Assert.Equal(Enumerable.Range(0, 50), random.Permutation(50).Order());
    }

    private static void Refused(string expected, Func<object> make) =>
        Assert.Contains(expected, Assert.Throws<ArgumentException>(make).Message, StringComparison.Ordinal);
}
