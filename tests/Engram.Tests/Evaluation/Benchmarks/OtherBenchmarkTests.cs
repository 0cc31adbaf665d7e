using Engram.Data;
using Engram.Evaluation;
using Engram.Evaluation.Benchmarks;
using Engram.Learning;
using static TorchSharp.torch;

namespace Engram.Tests.Evaluation.Benchmarks;

public class OtherBenchmarkTests
{
    private static readonly TrainAndTest s_digits = new(
        SubsetSource.Balanced(TestData.Mnist.Train, 120), TestData.Mnist.Test.Balanced(4));

    public static TheoryData<string, string, Scenario> Cells
    {
        get
        {
            var cells = new TheoryData<string, string, Scenario>();
            foreach (var benchmark in BenchmarkList.All.Where(benchmark => benchmark.Name is "permuted-mnist" or "rotated-mnist"))
                foreach (var method in benchmark.Methods)
                    foreach (var scenario in method.Scenarios) cells.Add(benchmark.Name, method.Name, scenario);
            return cells;
        }
    }

    [Theory, MemberData(nameof(Cells))]
    public void Every_method_runs_in_every_scenario_it_names(string name, string method, Scenario scenario)
    {
        var benchmark = BenchmarkList.Named(name);
        var result = benchmark.Run(new BenchmarkCell(name, scenario, method, 1, Iterations: 1, PerClass: name == "permuted-mnist" ? 4 : 100), s_digits)!;
        Assert.Equal(name == "permuted-mnist" ? 10 : 20, result.Accuracy[^1].Length);
    }

    [Fact]
    public void Permuted_digits_are_padded_and_get_ten_classes_in_each_context_class_incrementally()
    {
        using var scope = NewDisposeScope();
        var stream = BenchmarkList.Named("permuted-mnist").Stream(s_digits, Scenario.ClassIncremental, 0);
        Assert.Equal([1L, 32, 32], stream.Experiences[0].Train.InputShape);
        Assert.Equal(Enumerable.Range(30, 10).Select(label => $"{label}"), stream.Experiences[3].Classes.Select(label => label.Name));
        var (first, third) = (stream.Experiences[0].Train.Gather([5]).Inputs, stream.Experiences[2].Train.Gather([5]).Inputs);
        Assert.Equal(first.data<byte>().Order(), third.data<byte>().Order());
        Assert.NotEqual(first.data<byte>().ToArray(), third.data<byte>().ToArray());
        Assert.Equal(0, first.narrow(2, 0, 2).sum().item<long>());
    }

    [Fact]
    public void Rotated_digits_turn_further_with_every_context_and_each_learns_a_thousand()
    {
        var stream = BenchmarkList.Named("rotated-mnist").Stream(s_digits, Scenario.DomainIncremental, 0);
        var degrees = stream.Experiences.Select(context => double.Parse(context.Name.TrimEnd('°'), System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(degrees.Order(), degrees);
        Assert.All(degrees, (angle, context) => Assert.InRange(angle, (9 * context) - 0.05, (9 * context) + 9.05));
        Assert.All(stream.Experiences, context => Assert.Equal(1000, context.Train.Count));
    }

    [Fact]
    public void Split_Cifar_runs_task_incrementally_and_refuses_fewer_classes_than_contexts_share()
    {
        var benchmark = BenchmarkList.Named("split-cifar10");
        using var scope = NewDisposeScope();
        var images = TensorSource.OfClasses(
            randint(0, 256, [40, 3, 32, 32], ScalarType.Byte), [.. Enumerable.Range(0, 40).Select(i => i % 10)], Label.Numbers(0, 10));
        var test = new EvaluationSet("test", images);
        var result = benchmark.Run(
            new BenchmarkCell("split-cifar10", Scenario.TaskIncremental, "none", 1, Iterations: 1), new TrainAndTest(images, test))!;
        Assert.Equal(5, result.Accuracy[^1].Length);

        var few = new TrainAndTest(SubsetSource.WithLabels(images, Label.Numbers(0, 4)), test);
        Assert.Equal("5 contexts of 2 classes need 10 classes, the data have 4", Assert.Throws<ArgumentException>(() =>
            benchmark.Stream(few, Scenario.ClassIncremental, 0)).Message);
    }
}
