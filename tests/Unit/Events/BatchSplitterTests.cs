using System.Text;
using CsCheck;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Events;

/// <summary>
/// Items of a batch are found as a JSON parser finds them, and no text makes the splitter fail in another way than by saying so.
/// </summary>
public sealed class BatchSplitterTests
{
    [Theory]
    [InlineData("[]")]
    [InlineData(" [ 1 , 2 ]\n", "1", "2")]
    [InlineData("[1,,2,]", "1", "", "2", "")]
    [InlineData("""["a,b","]","\"",{"x":[1,{"y":","}]}]""", "\"a,b\"", "\"]\"", "\"\\\"\"", """{"x":[1,{"y":","}]}""")]
    [InlineData("[{]},1]", "{]}", "1")]
    [InlineData("[}}]", "}}")]
    public void An_array_is_split_at_its_own_commas(string body, params string[] expected)
    {
        var (error, items) = Split(body, 1000);
        Assert.Equal(BatchError.None, error);
        Assert.Equal(expected, items);
    }

    [Theory]
    [InlineData("", nameof(BatchError.Empty))]
    [InlineData(" \t\r\n", nameof(BatchError.Empty))]
    [InlineData("{}", nameof(BatchError.NotAnArray))]
    [InlineData("[", nameof(BatchError.Broken))]
    [InlineData("[1", nameof(BatchError.Broken))]
    [InlineData("[\"", nameof(BatchError.Broken))]
    [InlineData("[\"\\", nameof(BatchError.Broken))]
    [InlineData("[]]", nameof(BatchError.Broken))]
    [InlineData("[1] 2", nameof(BatchError.Broken))]
    [InlineData("\uFEFF[]", nameof(BatchError.ByteOrderMark))]
    [InlineData("[1,2,3]", nameof(BatchError.TooMany))]
    public void What_is_no_array_says_why(string body, string expected) => Assert.Equal(expected, Split(body, 2).Error.ToString());

    [Fact]
    public void Whatever_arrays_a_parser_reads_are_split_into_the_items_that_it_reads() =>
        JsonGen.Value.Array[0, 8].Sample(values =>
        {
            var (error, items) = Split("[" + string.Join(" ,\n", values) + "]", 1000);
            Assert.Equal(BatchError.None, error);
            Assert.Equal(values, items);
        });

    [Fact]
    public void No_bytes_make_it_throw_or_find_what_is_not_there() =>
        Gen.OneOf(Gen.Byte, Gen.Int[0, 9].Select(index => "[]{},\"\\ \n1"u8[index])).Array[0, 60].Sample(body =>
        {
            foreach (var isLines in (ReadOnlySpan<bool>)[false, true])
            {
                var items = new List<Range>();
                _ = isLines ? BatchSplitter.SplitLines(body, 5, items) : BatchSplitter.SplitArray(body, 5, items);
                Assert.InRange(items.Count, 0, 5);
                var end = 0;
                foreach (var item in items)
                {
                    Assert.InRange(item.Start.Value, end, item.End.Value);
                    end = item.End.Value;
                    Assert.InRange(end, 0, body.Length);
                }
            }
        });

    private static (BatchError Error, string[] Items) Split(string text, int most)
    {
        var body = Encoding.UTF8.GetBytes(text);
        var items = new List<Range>();
        var error = BatchSplitter.SplitArray(body, most, items);
        return (error, [.. items.Select(item => Encoding.UTF8.GetString(body[item]))]);
    }
}
